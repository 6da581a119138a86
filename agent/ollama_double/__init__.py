"""A double of an Ollama server: its HTTP protocol without a model behind it."""
