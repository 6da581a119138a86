"""How soon the arbiter answers."""
