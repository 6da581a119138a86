"""The process that runs the senses of the full tier, and a program's side of it."""
