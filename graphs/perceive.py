"""Hear, see or read one file."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

from graphs.context import Step, stored
from graphs.state import Handed, PerceiveInput, Percept
from memory.artifacts import Artifact
from memory.errors import MemoryStoreError, PassageTooLongError
from tools.reading.base import Reading, UnreadableError
from tools.reading.disk import contents


def thread_collection(thread_id: str) -> str:
    """Return the collection that holds the files handed over in a thread."""
    return f"thread:{thread_id}"


async def perceive(state: PerceiveInput, step: Step) -> dict[str, Any]:
    """Read the file by its content; a fault of the file becomes a percept that says so."""
    file, role = state["file"], state["role"]
    step.emit({"event": "perceiving", "name": file["name"]})
    path = Path(file["path"])
    try:
        found = await asyncio.to_thread(contents, path, bytes_limit=step.services.file_bytes_limit)
        reading = await step.services.reader.read(found.data, file["name"])
        if role == "question" and reading.kind == "recording":
            return {"percepts": [await _heard(reading, file, step)]}
        percept = _percept(reading, file["name"])
        percept["chunks"] = await step.services.shelf.keep(
            reading,
            data=found.data,
            uri=(await asyncio.to_thread(path.resolve)).as_uri(),
            collection=thread_collection(step.thread_id),
        )
    except (UnreadableError, PassageTooLongError) as error:
        return {"percepts": [_failed(file["name"], str(error))]}
    except OSError as error:
        reason = f"{file['name']!r} cannot be read: {error.strerror or error}. Is the path right?"
        return {"percepts": [_failed(file["name"], reason)]}
    except MemoryStoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a reader trips over costs its file alone
        reason = f"{file['name']} cannot be read: {type(error).__name__}: {error}"
        return {"percepts": [_failed(file["name"], reason)]}
    return {"percepts": [percept]}


async def _heard(reading: Reading, file: Handed, step: Step) -> Percept:
    """Keep the transcript of a spoken question."""
    name = file["name"]
    text = " ".join(block.text for block in reading.blocks)
    artifact = str(uuid.uuid5(uuid.UUID(step.run_id), f"transcript:{file['path']}"))
    percept: Percept = {**_percept(reading, name), "role": "question", "artifact": artifact}
    await stored(
        step,
        Artifact(
            id=artifact,
            kind="transcript",
            body={"text": text, "flaws": list(reading.flaws)},
            label=reading.label,
        ),
    )
    step.emit({"event": "heard", "name": name, "text": text})
    return percept


def _percept(reading: Reading, name: str) -> Percept:
    return Percept(
        name=name,
        kind=reading.kind,
        role="material",
        artifact=None,
        chunks=[],
        flaws=list(reading.flaws),
        error=None,
        label=reading.label.to_json(),
    )


def _failed(name: str, reason: str) -> Percept:
    return Percept(
        name=name,
        kind=None,
        role="material",
        artifact=None,
        chunks=[],
        flaws=[],
        error=reason,
        label={"origins": [], "audience": []},
    )
