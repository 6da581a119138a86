"""How parts are written, and how it is said that something was left out. Pure."""

from collections.abc import Sequence

from graphs.fitting.parts import Result, Shown, reference
from graphs.state import Summary

TAIL = 4
"""One character in so many of what is shown of a long text is taken from its end."""


def material(passages: Sequence[Shown], shown: Sequence[Shown], above: Sequence[int] = ()) -> str:
    """Write the passages that are shown, how many of all are not, and which stand above."""
    parts = [f"(found again, see above: {' '.join(f'[{one}]' for one in above)})"] if above else []
    parts += [one.text for one in shown]
    if note := passages_note(len(passages) - len(shown), len(passages)):
        parts.append(note)
    return "\n\n".join(parts) if parts else "(memory holds no passage on this)"


def passages_note(count: int, of: int) -> str:
    """Say how many passages are not shown."""
    return f"({count} of {of} passages left out for want of room)" if count else ""


def posed(passages: str, question: str) -> str:
    """Put the question behind its material: what is read last is followed best."""
    return f"Passages:\n\n{passages}\n\nQuestion: {question}"


def headed(result: Result, shown: int) -> str:
    """Write the head of a result, its size and where the rest is."""
    return (
        f"{result.text[:shown]}\n[the first {shown} of {result.characters} characters; `reread` "
        f'with reference "{reference(result.artifact)}" gives the rest]'
    )


def begun(text: str, characters: int) -> str:
    """Write the beginning of a text and its size; the whole where it is not longer than that."""
    if len(text) <= characters:
        return text
    return f"{text[:characters]}\n[the first {characters} of {len(text)} characters]"


def pinched(text: str, shown: int, artifact: str) -> str:
    """Write head and tail of a text that is too large, and where the middle is."""
    tail = shown // TAIL
    head = shown - tail
    return (
        f"{text[:head]}\n[{len(text) - shown} of {len(text)} characters left out here; `reread` "
        f'with reference "{reference(artifact)}" gives them]\n{text[len(text) - tail :]}'
    )


def remembered(summary: Summary) -> str:
    """Write what stands for the oldest messages; the same words until more are condensed."""
    note = f"({summary['dropped']} older lines left out)\n" if summary["dropped"] else ""
    return (
        f"(Earlier in this conversation, the first {summary['covers']} messages condensed:)\n"
        f"{note}{summary['text']}\n(End of what was condensed.)"
    )


def rounds_note(count: int, of: int) -> str:
    """Say how many rounds of calls are not shown."""
    return f"({count} of {of} rounds of calls left out for want of room)\n\n" if count else ""


def tools_note(count: int) -> str:
    """Say that no tool can be called."""
    return f"({count} of {count} tools left out for want of room)\n\n" if count else ""
