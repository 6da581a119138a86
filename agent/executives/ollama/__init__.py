"""Ollama: its requests, its server, its streams."""
