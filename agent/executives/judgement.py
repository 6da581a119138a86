"""Which models are relied on."""

JUDGEMENT_BYTES = 1_500_000_000
"""Models in smaller files (about three billion parameters at four bits) are not relied on."""
