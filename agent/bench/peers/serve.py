"""Run a peer's script and answer requests, one line of JSON each, until the input ends.

A request is `{"do": function, "with": arguments}`; its answer `{"value", "seconds", "peak_bytes"}`
or `{"error"}`. The first answer, before any request, holds the versions of the packages.
"""

import json
import os
import resource
import runpy
import sys
import time
from importlib.metadata import version
from itertools import chain
from typing import Any, TextIO

_KILOBYTES = 1 if sys.platform == "darwin" else 1024
"""Unit in which the system tells the largest memory of a process."""


def main() -> None:
    """Serve the script whose path is the one argument."""
    answers = _own_output()
    functions: dict[str, Any] = {}

    def start() -> dict[str, str]:
        functions.update(runpy.run_path(sys.argv[1]))
        return {name: version(name) for name in functions["PACKAGES"]}

    functions["start"] = start
    greeting = {"do": "start", "with": {}}
    for request in chain((greeting,), map(json.loads, sys.stdin)):
        try:
            answer = _answered(functions[request["do"]], request["with"])
        except Exception as error:  # noqa: BLE001 - told to who asked, who decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def _own_output() -> TextIO:
    """Keep the standard output for answers: what a library prints goes to the error output."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


def _answered(function: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    value = function(**arguments)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTES
    return {"value": value, "seconds": seconds, "peak_bytes": peak}


if __name__ == "__main__":
    main()
