"""Weights for tests: small, made here in seconds, and loaded by the real libraries."""
