"""How often a model's calls are valid, and right: bound to a schema, and as a bare chat."""
