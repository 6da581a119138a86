"""How well search ranks, on any folder in the layout of BEIR."""
