"""The command line. Nothing heavy is imported here: each command imports what it needs."""

from agent.cli.commands import app
from agent.cli.edge import main

__all__ = ["app", "main"]
