"""Whom a mail is between, and which earlier mails it names. Pure.

All is taken from headers as they were sent: in a decoded one a name may look like an address.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice

from memory.messages import Message
from tools.reading.subjects import topic

LETTERS = 64 * 1024
"""Of a header that are looked at, from either end."""
ADDRESSES = 200
ADDRESS_LETTERS = 320
IDS = 50
"""Earlier mails that are kept of a longer chain: the first, and those nearest to the mail."""
ID_LETTERS = 200

# A name that nothing closes goes on to the end.
_NAME = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|\([^()]*\)', re.DOTALL)
_BRACKETS = re.compile(r"<([^<>]*)>")
_WORD = re.compile(r"[^\s<>()\[\],;:\"\\]+")
_ID = re.compile(r"<([^<>]*)>")
_BLANKS = re.compile(r"\s+")
_CONTROL = re.compile("[\x00-\x20\x7f\ud800-\udfff]")


RAW = frozenset("from sender to cc bcc message-id in-reply-to references".split())
"""Headers that are looked at."""


def message_of(raw: Mapping[str, Sequence[str]], subject: str, digest: str) -> Message:
    """Return what a mail says of itself, given its headers as they were sent, by lower-case name.

    The digest names it where it has no Message-ID.
    """

    def first(name: str) -> str:
        return raw[name][0] if raw.get(name) else ""

    senders = addresses([first("from"), first("sender")])
    recipients = addresses([*raw.get("to", ()), *raw.get("cc", ()), *raw.get("bcc", ())])
    own = message_id(first("message-id")) or f"sha256:{digest}"
    about, answers = topic(subject)
    named = ancestors(
        first("references"), first("in-reply-to"), own=own, strangers={*senders, *recipients}
    )
    return Message(
        message_id=own,
        sender=senders[0] if senders else "",
        recipients=recipients,
        ancestors=tuple(named),
        topic=about,
        answers=answers,
    )


def addresses(headers: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of some headers, in their order, each once and in lower case."""
    mailboxes = (
        mailbox for header in headers for mailbox in re.split("[,;]", _unnamed(header[:LETTERS]))
    )
    found = (address for mailbox in mailboxes if (address := _address(mailbox)))
    return tuple(islice(dict.fromkeys(found), ADDRESSES))


def _unnamed(header: str) -> str:
    """Take out names and comments, in which an address would not be meant as one."""
    bare = _NAME.sub(" ", header)
    return bare if "@" in bare else header


def _address(mailbox: str) -> str:
    bracketed = _BRACKETS.findall(mailbox)
    words = _WORD.findall(bracketed[-1] if bracketed else mailbox)
    address = next((word for word in words if "@" in word[1:-1]), "")
    return _CONTROL.sub("", address[:ADDRESS_LETTERS]).lower()


def message_id(header: str) -> str:
    """Return a Message-ID without its brackets, "" where a header holds none."""
    named = _ids(header[:LETTERS])
    return named[0] if named else _clean(header[:LETTERS])


def ancestors(
    references: str, in_reply_to: str, *, own: str, strangers: Collection[str]
) -> list[str]:
    """Return the Message-IDs of the mails that one goes back to, its parent's last.

    By RFC 5256: those of References; those of In-Reply-To only where there are none. It is never
    its own ancestor. `strangers` are addresses, which older programs write where an id should be.
    """
    ends = (references[:LETTERS], references[max(LETTERS, len(references) - LETTERS) :])
    named = [one for end in ends for one in _ids(end)] or _ids(in_reply_to[:LETTERS])[:1]
    known = [one for one in named if one != own and one.lower() not in strangers]
    # Of an id that stands twice the place nearer to the mail counts.
    chain = list(dict.fromkeys(reversed(known)))[::-1]
    return chain if len(chain) <= IDS else [chain[0], *chain[1 - IDS :]]


def _ids(header: str) -> list[str]:
    return [one for match in _ID.findall(header) if (one := _clean(match))]


def _clean(text: str) -> str:
    # A long id may have been folded; a longer one than anybody writes goes by its digest.
    bare = _CONTROL.sub("", _BLANKS.sub("", text))
    if len(bare) <= ID_LETTERS:
        return bare
    return f"sha256:{hashlib.sha256(bare.encode()).hexdigest()}"
