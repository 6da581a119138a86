"""Who may use the card, decided by a pure function of state and event. See `../design.md`."""
