"""Asks a model on a server what a picture shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from agent.errors import VisionError
from agent.executives.ollama.server import server_words
from agent.executives.wire import Place, Timeouts, Wire
from agent.vision import picture
from agent.vision.served import ServedVision

CONTEXT_TOKENS = 8_192
"""Ollama gives Qwen3-VL no less, whatever is asked for."""
BATCH = 512
ANSWER_TOKENS = 512
QUESTION = "Describe this picture. Say what it shows, and what stands written in it."

_TELL_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What a model says of a picture."""

    text: str
    served_by: str
    flaws: tuple[str, ...] = ()


class Describer:
    """Speaks to one server; whether that is an Ollama is asked at each picture."""

    def __init__(self, served: ServedVision) -> None:
        self._served = served
        place = Place(
            server="vision", url=served.url, section="senses", start="Start it with its model"
        )
        self._wire = Wire(place, timeouts=Timeouts())
        self.shown = place.shown
        """Where the server is, without a password that may stand there."""

    async def describe(
        self, image: NDArray[np.uint8], *, question: str | None = None, stays: bool = False
    ) -> Description:
        """Return what an image of shape (height, width, 3), RGB, shows, or what was asked of it.

        `stays` keeps the model where it is on an Ollama, for whoever holds a lease of it; else it
        goes with the answer. Raises VisionError.
        """
        content = picture.encoded(picture.fitted(image))
        asked = question or QUESTION
        version = await self.version()
        if version is not None:
            await self._refuse_blind()
            told = await self._ask("/api/chat", self._ollama(content, asked, stays=stays))
            text, ended = _of_ollama(told)
        else:
            told = await self._ask("/v1/chat/completions", self._openai(content, asked))
            text, ended = _of_openai(told)
        if not text.strip():
            raise VisionError(
                f"{self._served.model} at {self.shown} said nothing of the picture. Does it see? "
                "Another can be named by the setting senses.vision_model."
            )
        home = "OpenAI-compatible" if version is None else f"Ollama {version}"
        return Description(
            text=text.strip(),
            served_by=f"{self._served.model} ({home})",
            flaws=(f"cut off after {ANSWER_TOKENS} tokens",) if ended == "length" else (),
        )

    async def version(self) -> str | None:
        """Return the version of an Ollama; None where it is another server. Raises VisionError."""
        try:
            response = await self._wire.ask("GET", "/api/version", timeout_s=_TELL_S)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise VisionError(
                f"No server answers at {self.shown} ({str(error) or 'timed out'}). Start it "
                "(`OLLAMA_HOST=HOST:PORT ollama serve`), or correct the setting senses.vision_url."
            ) from error
        try:
            told = response.json()
        except ValueError:
            return None
        known = response.status_code == httpx.codes.OK and isinstance(told, dict)
        return str(told["version"]) if known and "version" in told else None

    async def _refuse_blind(self) -> None:
        """Raise VisionError where an Ollama has not the model, or it does not see."""
        told = await self._ask("/api/show", {"model": self._served.model}, timeout_s=_TELL_S)
        able = told.get("capabilities")
        if isinstance(able, list) and "vision" not in able:
            raise VisionError(
                f"{self._served.model} at {self.shown} cannot see: it is able of "
                f"{', '.join(map(str, able)) or 'nothing'}. Name another by senses.vision_model, "
                "such as qwen3-vl:4b."
            )

    async def _ask(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> Mapping[str, Any]:
        limit = timeout_s or self._served.timeout_s
        try:
            response = await self._wire.ask("POST", path, body=body, timeout_s=limit)
        except TimeoutError as error:
            raise VisionError(
                f"{self._served.model} at {self.shown} gave no answer within {limit:g} s. See "
                "whether it hangs, or raise the setting senses.vision_timeout_s."
            ) from error
        except httpx.HTTPError as error:
            raise VisionError(
                f"The connection to {self.shown} broke: {str(error) or type(error).__name__}. "
                "Ask again; if it stays, look into the server's log."
            ) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise VisionError(
                f"The server at {self.shown} does not have {self._served.model} "
                f"({server_words(response.content)}). `cortical models pull {self._served.model}` "
                "brings it to an Ollama; or correct the setting senses.vision_model."
            )
        if response.status_code != httpx.codes.OK:
            raise VisionError(
                f"{self._served.model} at {self.shown} does not describe the picture: "
                f"{response.status_code} {server_words(response.content)}."
            )
        try:
            told = response.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise VisionError(f"The server at {self.shown} answers {path} with no object.")
        return told

    def _ollama(self, content: str, question: str, *, stays: bool) -> dict[str, Any]:
        return {
            "model": self._served.model,
            "messages": [{"role": "user", "content": question, "images": [content]}],
            "stream": False,
            "think": False,
            "keep_alive": -1 if stays else 0,
            "truncate": False,
            # As whoever loads it says: another value would load it anew.
            "shift": False,
            "options": {
                "num_ctx": CONTEXT_TOKENS,
                "num_batch": BATCH,
                "num_predict": ANSWER_TOKENS,
                "temperature": 0,
            },
        }

    def _openai(self, content: str, question: str) -> dict[str, Any]:
        parts = [
            {"type": "text", "text": question},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{content}"}},
        ]
        return {
            "model": self._served.model,
            "messages": [{"role": "user", "content": parts}],
            "stream": False,
            "max_tokens": ANSWER_TOKENS,
            "temperature": 0,
        }


def _of_ollama(told: Mapping[str, Any]) -> tuple[str, str]:
    """Return the words of an answer, and why it ended; empty where they are not told."""
    message = told.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    return str(text or ""), str(told.get("done_reason") or "")


def _of_openai(told: Mapping[str, Any]) -> tuple[str, str]:
    choices = told.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return "", ""
    message = first.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    return str(text or ""), str(first.get("finish_reason") or "")
