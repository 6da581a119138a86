"""A day of mixed work on a simulated card: our arbiter beside models of other policies."""
