"""A spoken conversation: decided by a pure function, held by what stands around it."""
