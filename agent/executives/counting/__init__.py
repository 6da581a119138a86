"""How many tokens a prompt has, counted or bounded."""
