"""What a server that speaks OpenAI's protocol tells of its models, which is little."""

from agent.executives.choose import ChoosingOpenAi
from agent.executives.openai.server import Kind, OpenAiModel, discover
from agent.models.known import GENERATES, Known

PREFIX = "openai:"


async def models(server: ChoosingOpenAi) -> tuple[Known, ...]:
    """Return what the server that is set has. Raises ExecutiveUnreachableError."""
    found = await discover(server.url, api_key=server.api_key, timeout_s=server.probe_timeout_s)
    return tuple(_known(one, found.kind, server.url) for one in found.models)


def _known(model: OpenAiModel, kind: Kind, url: str) -> Known:
    return Known(
        choice=f"{PREFIX}{model.short}",
        name=model.short,
        home=kind.value,
        size_bytes=model.size_bytes,
        parameters="",
        quantisation="",
        capabilities=(GENERATES, "tools") if model.native_tools else (GENERATES,),
        trained_tokens=None,
        loaded_tokens=model.context_tokens,
        digest=model.digest(url),
        shape=None,
    )
