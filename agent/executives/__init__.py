"""Adapters of the executive, and the choice between them."""
