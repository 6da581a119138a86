"""What a server or a model wrote, read as parts of a reply."""
