"""Bring the database up to date: our tables and the checkpointer's, under one lock."""

from memory import migrations


async def migrate(dsn: str) -> list[str]:
    """Apply what is pending and return its names; safe when many processes call it at once."""
    from memory import checkpoints  # which costs a second, and most databases are up to date

    return await migrations.migrate(dsn, further=[checkpoints.set_up])
