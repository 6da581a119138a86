"""Bring the database up to date: our tables and the checkpointer's, under one lock."""

from memory import checkpoints, migrations


async def migrate(dsn: str) -> list[str]:
    """Apply what is pending and return its names; safe when many processes call it at once."""
    return await migrations.migrate(dsn, further=[checkpoints.set_up])
