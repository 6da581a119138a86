"""Read files, and say of each what it took: run as a program of its own, so that memory is its own.

Given folders, prints a line of JSON for each file below them.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from tools.reading.base import UnreadableError
from tools.reading.reader import ContentReader
from tools.reading.testing import ScriptedHearing, ScriptedSight, perception

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def peak_mb() -> float:
    """Return the most memory that was held at once since the mark was taken down."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def measure(paths: list[Path]) -> None:
    reader = ContentReader(
        perception(
            ScriptedSight(("Total 38.5 kg", 10, 20, 90, 32)),
            ScriptedHearing(("the key is at the bakery", 0.5, 1.8)),
        )
    )
    for path in paths:
        data = await asyncio.to_thread(path.read_bytes)
        await asyncio.to_thread(_CLEAR.write_text, "5")
        began = time.process_time()
        found = {"path": str(path), "kind": "", "reason": ""}
        try:
            reading = await reader.read(data, path.name)
            found["kind"] = reading.kind
        except UnreadableError as error:
            found["reason"] = str(error)
        took = {"seconds": time.process_time() - began, "mb": peak_mb()}
        print(json.dumps(found | took))  # noqa: T201 - the program's result


if __name__ == "__main__":
    below = (path for folder in sys.argv[1:] for path in Path(folder).rglob("*"))
    asyncio.run(measure(sorted(path for path in below if path.is_file())))
