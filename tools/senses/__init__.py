"""Hearing, sight and speech, behind Protocols."""
