"""A picture of a trace: what lay on the card, who waited, who worked."""
