"""A model, as far as it is known without being loaded."""

from dataclasses import dataclass

from agent.residency.vram import Shape

GENERATES = "completion"
"""The capability of a model that writes answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A model that could reason, wherever it is."""

    choice: str
    """What names it in the setting `executive.choice`."""
    name: str
    home: str
    """`Ollama`, the kind of another server, or `in process`."""
    size_bytes: int | None
    """Of its weights on disk; None where its server does not tell."""
    parameters: str
    """Such as `14.8B`; empty where nothing tells, as the next one."""
    quantisation: str
    capabilities: tuple[str, ...]
    trained_tokens: int | None
    loaded_tokens: int | None = None
    """Context that its server holds it with, where it tells."""
    digest: str
    """What its probe is kept by; empty where nothing tells."""
    shape: Shape | None
    """What its need of a card is computed from; None where it is not known."""

    @property
    def generates(self) -> bool:
        """Whether it writes answers; an embedding model does not."""
        return GENERATES in self.capabilities
