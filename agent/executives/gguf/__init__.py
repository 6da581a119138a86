"""GGUF files: what their headers tell, without loading the model."""
