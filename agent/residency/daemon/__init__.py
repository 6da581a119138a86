"""Processes of ours that one user has once, that are started by whoever needs them, and stay."""
