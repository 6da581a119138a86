"""Who may use the machine's memory and card, for which operation."""
