"""Which model a person means. Pure."""

from agent.settings import Settings

_PREFIXES = ("ollama:", "openai:", "gguf:")
_WHOLE = ("auto", "embedded")


def choice_of(word: str) -> str:
    """Return a word as the setting `executive.choice`; a bare name is a model of Ollama."""
    if word in _WHOLE or word.startswith(_PREFIXES):
        return word
    return f"gguf:{word}" if word.endswith(".gguf") else f"ollama:{word}"


def meant(settings: Settings, word: str | None) -> Settings:
    """Return the settings with the executive that a person names, or as they are."""
    if word is None:
        return settings
    chosen = settings.executive.model_copy(update={"choice": choice_of(word)})
    return settings.model_copy(update={"executive": chosen})
