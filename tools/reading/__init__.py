"""Readers: the bytes of a file to passages with places, by content and not by name."""
