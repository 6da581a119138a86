"""What a model really does, found out once by asking it."""
