"""A store of a size that is asked for, made of re-mixed real texts, and what search does on it."""
