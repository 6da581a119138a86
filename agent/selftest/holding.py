"""The context: whether all of a long prompt is read, and what is too long is refused."""

import time

from agent.executives.probe import tasks as probe_tasks
from agent.executives.probe.probing import longest, may_be_whole
from agent.selftest.section import Box, Section, each
from graphs.errors import PromptTooLongError
from graphs.executive import EndPart, Executive, TextPart, Wish

PLACES = {"beginning": 0.0, "middle": 0.5, "end": 1.0}
_ANSWER_TOKENS = 24
_TOO_MUCH = 2
_READINGS = len(PLACES) + 2
"""Of a whole prompt, at most, and some time to spare."""
_MEASURED_LINES = 20


async def section(executive: Executive, box: Box) -> Section:
    """Look for a needle in prompts near the context, and hand over one that is too long."""
    found = Section(name="context", planned=len(PLACES) + 1)
    found.figures = {"context_tokens": executive.profile.context_tokens, "needles": 0, "read": 0}
    wish = Wish(max_tokens=_ANSWER_TOKENS)
    fits = await longest(executive, wish)
    lines = await longest(
        executive, wish, most=int(await _rate(executive) * box.left_s / _READINGS)
    )

    async def needle(place: str) -> bool:
        text, read = await _heard(executive, found, lines, PLACES[place])
        found.figures["read"] = max(found.figures["read"], read)
        return probe_tasks.NEEDLE in text

    async def too_long(_: str) -> bool:
        try:
            await _heard(executive, found, (fits + 10) * _TOO_MUCH, 0.0)
        except PromptTooLongError:
            return True
        return False

    async for place, there in each(found, box, list(PLACES), needle):
        found.count("needles", int(bool(there)))
        found.figures[f"needle_at_{place}"] = bool(there)
    asked = found.done
    async for _, refused in each(found, box, ["too long"], too_long):
        found.figures["too_long_refused"] = bool(refused)
    found.told = [
        f"{found.figures['context_tokens']} tokens: of {asked} needles in prompts of up to "
        f"{found.figures['read']} tokens, {found.figures['needles']} found again"
    ]
    if lines < fits:
        found.told.append("the prompts are shorter than the context, for want of time")
    if "too_long_refused" in found.figures:
        verb = "was refused" if found.figures["too_long_refused"] else "was read whole"
        found.told.append(f"a prompt of twice the length {verb}")
    return found


async def _rate(executive: Executive) -> float:
    """Return how many tokens of a prompt are read in a second."""
    prompt = probe_tasks.haystack(_MEASURED_LINES)
    wish = Wish(max_tokens=1)
    tokens = (await executive.count(prompt, wish)).tokens
    began = time.monotonic()
    async for _ in executive.stream(prompt, wish):
        pass
    return tokens / (time.monotonic() - began)


async def _heard(executive: Executive, found: Section, lines: int, place: float) -> tuple[str, int]:
    """Ask once; what a server dropped of a prompt without a word breaks a promise."""
    prompt = probe_tasks.haystack(lines, place)
    text, read = "", 0
    async for part in executive.stream(prompt, Wish(max_tokens=_ANSWER_TOKENS)):
        match part:
            case TextPart(text=piece):
                text += piece
            case EndPart(prompt_tokens=tokens):
                read = tokens
    if read and not may_be_whole(prompt, read):
        found.broken.append(f"a prompt was answered of which only {read} tokens were read")
    return text, read
