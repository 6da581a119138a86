"""A double of a server that speaks OpenAI's protocol, without a model behind it."""
