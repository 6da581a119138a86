"""Where the model is that describes pictures. Pure.

It is never the Ollama that serves the executive: a second model there can push that off the card.
"""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from agent.errors import SettingsError
from agent.executives.openai.server import root
from agent.settings import Settings
from agent.vision.served import ServedVision

_PORTS = {"http": 80, "https": 443}
_OWN = "this machine"


def served(settings: Settings) -> ServedVision:
    """Return the server of the settings. Raises SettingsError where there is none to be used."""
    own = settings.senses
    if own.vision_url is None:
        raise SettingsError(
            "Nothing here describes pictures. Start a second Ollama (`OLLAMA_HOST=127.0.0.1:11435 "
            "ollama serve`) or another server with a model that sees, and set senses.vision_url to "
            "its address."
        )
    if _where(own.vision_url) is None:
        raise SettingsError(
            f"The setting senses.vision_url = {own.vision_url!r} is no address. Write "
            "http://HOST:PORT."
        )
    if _serves_executive(settings) and _where(own.vision_url) == _where(settings.ollama.url):
        raise SettingsError(
            f"The setting senses.vision_url = {own.vision_url!r} is the Ollama that serves the "
            "executive (ollama.url), where a second model can push the executive off the card. "
            "Start another: `OLLAMA_HOST=127.0.0.1:11435 ollama serve`."
        )
    return ServedVision(
        url=root(own.vision_url), model=own.vision_model, timeout_s=own.vision_timeout_s
    )


def _serves_executive(settings: Settings) -> bool:
    return settings.executive.choice.partition(":")[0] in ("auto", "ollama")


def _where(url: str) -> tuple[str, int] | None:
    """Return host and port, the same for all names of this machine; None where it is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if port is None or not parts.hostname:
        return None
    return _host(parts.hostname), port


def _host(name: str) -> str:
    if name in ("localhost", socket.gethostname().lower()):
        return _OWN
    try:
        address = ip_address(name)
    except ValueError:
        return name
    return _OWN if address.is_loopback or address.is_unspecified else name
