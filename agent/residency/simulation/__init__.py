"""A card that is not there: bytes, lags, faults and other programs on a virtual clock."""
