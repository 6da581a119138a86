"""Which server describes pictures, and in which size it gets them."""

import base64
import io
import socket

import numpy as np
import pytest
from PIL import Image

from agent.errors import SettingsError
from agent.settings import load
from agent.vision import picture
from agent.vision.server import served


@pytest.mark.parametrize(
    ("vision", "ollama"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://localhost:11434/v1", "http://127.0.0.1:11434"),
        ("http://[::1]:11434/", "http://localhost:11434"),
        ("http://0.0.0.0:11434", "http://127.0.0.2:11434"),
        (f"http://{socket.gethostname()}:11434", "http://127.0.0.1:11434"),
        ("http://Box.example:80", "http://box.example"),
        ("https://box.example", "https://box.example:443/"),
    ],
)
def test_the_executives_own_ollama_is_refused_by_any_name(
    monkeypatch: pytest.MonkeyPatch, vision: str, ollama: str
) -> None:
    monkeypatch.setenv("CORTICAL_SENSES__VISION_URL", vision)
    monkeypatch.setenv("CORTICAL_OLLAMA__URL", ollama)
    with pytest.raises(SettingsError, match=r"push the executive off .*127\.0\.0\.1:11435 ollama"):
        served(load())


@pytest.mark.parametrize(
    ("vision", "choice"),
    [
        ("http://127.0.0.1:11435", "auto"),
        ("http://box.example:11434", "ollama:qwen3:14b"),
        ("http://127.0.0.1:11434", "embedded"),
        ("http://127.0.0.1:11434", "openai:phi4"),
    ],
)
def test_another_server_is_not(monkeypatch: pytest.MonkeyPatch, vision: str, choice: str) -> None:
    monkeypatch.setenv("CORTICAL_SENSES__VISION_URL", f"{vision}/v1/")
    monkeypatch.setenv("CORTICAL_EXECUTIVE__CHOICE", choice)
    found = served(load())
    assert (found.url, found.model, found.timeout_s) == (vision, "qwen3-vl:4b", 300.0)


@pytest.mark.parametrize(
    ("vision", "said"),
    [
        (None, r"Nothing here describes pictures.*set senses\.vision_url"),
        ("127.0.0.1:11435", "is no address"),
        ("http://:99999", "is no address"),
        ("", "is no address"),
    ],
)
def test_without_an_address_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, vision: str | None, said: str
) -> None:
    if vision is not None:
        monkeypatch.setenv("CORTICAL_SENSES__VISION_URL", vision)
    with pytest.raises(SettingsError, match=said):
        served(load())


@pytest.mark.parametrize(
    ("height", "width", "then"),
    [
        (1080, 1920, (1080, 1920)),
        (100, 200, (100, 200)),
        (4000, 6000, (1175, 1763)),
        (10, 20_000, (64, 4_096)),
        (1, 1, (64, 64)),
        (3_000_000, 1, (4_096, 64)),
    ],
)
def test_a_picture_is_sent_within_bounds(height: int, width: int, then: tuple[int, int]) -> None:
    image = np.full((height, width, 3), (200, 30, 30), np.uint8)
    fitted = picture.fitted(image)
    assert fitted.shape == (*then, 3)
    assert fitted.shape[0] * fitted.shape[1] <= picture.MOST_PIXELS
    assert tuple(fitted[0, 0]) == (200, 30, 30)
    sent = Image.open(io.BytesIO(base64.b64decode(picture.encoded(fitted))))
    assert (sent.format, np.asarray(sent).shape) == ("PNG", (*then, 3))
