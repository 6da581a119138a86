"""Options that several commands have, and what a command may end with."""

from pathlib import Path
from typing import Annotated

import typer

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Collection = Annotated[
    str | None, typer.Option("--collection", "-c", help="Collection of memory.", metavar="NAME")
]
Peers = Annotated[
    Path | None, typer.Option("--peers", help="Python that has the peers.", metavar="PYTHON")
]

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

Namespace = Annotated[
    str | None,
    typer.Option("--namespace", help="Labels, the first one first.", metavar="LABEL/LABEL"),
]
