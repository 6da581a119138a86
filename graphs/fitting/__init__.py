"""How a prompt is made to fit the context: its parts, what is given up first, how that is said."""
