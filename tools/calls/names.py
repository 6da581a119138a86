"""Names of tools: matched exactly, with a hint where another was clearly meant. Pure."""

import difflib
import re
import unicodedata
from collections.abc import Sequence

# Letters of other scripts that look like Latin ones in most fonts.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u04bb\u0432\u043a\u043c\u043d\u0442\u0491"
    "\u03bf\u03b1\u03c1\u03bd\u03b9\u03ba\u03c4\u03c5\u03f2\u0131\u0261\u0585\u057d\u0578",
    "aeopcyxijsdqhbkmhtr" + "oapviktuc" + "ig" + "oun",
)
_NAMESPACE = re.compile(r"^.*[./:]")
_CLOSE = 0.75
_LISTED = 20


def skeleton(name: str) -> str:
    """Return what a name looks like: one case, Latin letters, nothing unseen, no word breaks."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKALIKES)
    seen = "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "CZM")
    return re.sub(r"[-_]+", "", seen)


def alike(name: str, known: Sequence[str]) -> str | None:
    """Return the first tool whose name looks the same."""
    wanted = skeleton(name)
    return next((one for one in known if skeleton(one) == wanted), None)


def meant(name: str, known: Sequence[str]) -> str | None:
    """Return the one tool that a name looks like, with a namespace or without; else None."""
    whole = skeleton(name)
    for wanted in (whole, _NAMESPACE.sub("", whole)):
        found = [one for one in known if wanted and skeleton(one) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the tool that was most likely meant, to be told as a hint and never to be run."""
    same = meant(name, known)
    if same is not None:
        return same
    by_look = {skeleton(one): one for one in known}
    close = difflib.get_close_matches(skeleton(name)[:100], by_look, n=1, cutoff=_CLOSE)
    return by_look[close[0]] if close else None


def unknown(name: str, known: Sequence[str]) -> str:
    """Say that no tool has this name, which may have been meant, and which there are."""
    shown = ascii(name if len(name) <= 80 else f"{name[:80]}…")
    close = nearest(name, known)
    hint = f" Did you mean {close!r}? Only the exact name is taken." if close else ""
    return f"There is no tool {shown}.{hint} The tools are: {_listed(known)}."


def _listed(known: Sequence[str]) -> str:
    more = len(known) - _LISTED
    names = ", ".join(known[:_LISTED]) or "none"
    return f"{names} and {more} more" if more > 0 else names
