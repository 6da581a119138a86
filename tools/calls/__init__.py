"""From what a model wrote to a call that may be judged: read, fitted to its schema, validated."""
