"""Adapters of the executive: Ollama, and a GGUF file in process."""
