"""Answers that are bound to a JSON schema, calls of tools among them."""
