"""How much of each prompt is evaluated again, and how soon the first token comes."""
