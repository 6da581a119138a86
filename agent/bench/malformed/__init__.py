"""Malformed tool calls: the table, the adapters that hand them over, what becomes of them."""
