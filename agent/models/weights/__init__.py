"""Weights of the senses: where they come from, how they are brought here, and what is here."""
