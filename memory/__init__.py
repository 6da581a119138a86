"""PostgreSQL with pgvector: all that outlives a process."""
