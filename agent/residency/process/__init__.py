"""The arbiter as a process: one for each card of a user, started by whoever needs it first."""
