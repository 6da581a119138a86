"""A tool that shows the executive other tools."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from graphs.tools_shown import FINDER, matching
from memory.labels import ENGINE_LABEL
from tools.base import Effect, Tool, ToolContext, ToolResult, ToolSpec

FOUND_LIMIT = 5


class FindToolsArguments(BaseModel):
    """What a tool should do."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    query: str = Field(min_length=1, max_length=200, description="what the tool should do")


def find_tools(others: Sequence[ToolSpec]) -> Tool[FindToolsArguments]:
    """Build the tool that finds one of the others."""

    async def run(wanted: FindToolsArguments, _: ToolContext) -> ToolResult:
        found = matching(others, wanted.query, limit=FOUND_LIMIT)
        listed = "\n".join(f"- {one.name}: {' '.join(one.description.split())}" for one in found)
        text = f"These can be called from now on:\n{listed}" if found else _none(others)
        names = tuple(one.name for one in found)
        return ToolResult(text=text, ok=True, label=ENGINE_LABEL, tools=names)

    return Tool(
        name=FINDER,
        description="There are more tools than are shown here. Find those that do something.",
        arguments=FindToolsArguments,
        effect=Effect.READ,
        run=run,
        always_shown=True,
    )


def _none(others: Sequence[ToolSpec]) -> str:
    names = ", ".join(one.name for one in others[:40])
    return f"No tool matches these words. Some of all: {names}. Try other words."
