"""Mail: its headers, what is new in it, what it quotes, and what is attached."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from memory.labels import Label, Origin
from memory.places import Place
from tools.reading import html
from tools.reading.base import UNREAD, Block, Reading, SenseFailedError, UnreadableError
from tools.reading.correspondence import message_of
from tools.reading.decoding import decode
from tools.reading.message import Attachment, Body, Mail, parse
from tools.reading.quoting import stretches

READER = "mail/2"
LABEL = Label(origins=frozenset({Origin.MAIL}))
QUOTED = ("quoted",)
"""Heading of the lines that repeat an earlier mail."""

DEPTH = 4
"""Mails within mails that are opened."""

ATTACHMENTS = 200
"""Files that are opened in one mail, those within mails within it included."""

HEADER_LETTERS = 600
"""Of a header that is shown: the names of a thousand recipients tell nobody anything."""


@dataclass(kw_only=True, slots=True)
class Nest:
    """Where in a file the reading stands: mails hold files and mails."""

    depth: int = 0
    """Mails that it stands in."""
    left: list[int] = field(default_factory=lambda: [ATTACHMENTS])
    """How many files may still be opened, in one number that all levels share."""

    def inner(self) -> "Nest":
        """Return the place of an attachment; raises `UnreadableError` where it is not opened."""
        if self.depth >= DEPTH:
            raise UnreadableError(f"it is nested in more than {DEPTH} mails and was not opened.")
        if not self.left[0]:
            raise UnreadableError(f"only {ATTACHMENTS} attachments are opened, and not this one.")
        self.left[0] -= 1
        return Nest(depth=self.depth + 1, left=self.left)


Open = Callable[[bytes, str, Nest], Awaitable[Reading]]
"""Reads a file by its content, given where it stands. Raises `UnreadableError`."""


async def read(
    data: bytes, name: str, media_type: str, open_file: Open, nest: Nest | None = None
) -> Reading:
    """Return the text of a mail and of all attachments that can be read.

    Raises `UnreadableError` where there is neither.
    """
    nest = nest or Nest()
    mail = await asyncio.to_thread(parse, data)
    digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
    blocks = await asyncio.to_thread(_own, mail)
    readers = [READER]
    for attachment, part in zip(mail.attachments, _parts(mail.attachments), strict=True):
        try:
            reading = await _opened(attachment, media_type, open_file, nest.inner())
        except UnreadableError as error:
            mail.flaws.append(f"attachment {part}: {error}")
            readers += [UNREAD] if isinstance(error, SenseFailedError) else []
            continue
        except Exception as error:  # noqa: BLE001  # a fault of ours costs the attachment, no more
            mail.flaws.append(f"attachment {part}: {type(error).__name__}: {error}")
            readers.append(UNREAD)
            continue
        blocks += (_inside(block, part) for block in reading.blocks)
        mail.flaws += (f"attachment {part}: {flaw}" for flaw in reading.flaws)
        readers += reading.reader.split(" + ")
    if not blocks:
        raise UnreadableError(f"{name} is a mail without any readable text.")
    return Reading(
        title=mail.headers.get("subject") or name,
        author=mail.headers.get("from", "")[:HEADER_LETTERS],
        kind="mail",
        media_type=media_type,
        blocks=tuple(blocks),
        label=LABEL,
        reader=" + ".join(dict.fromkeys(readers)),
        made_at=mail.date,
        message=message_of(mail.raw, mail.headers.get("subject", ""), digest),
        flaws=tuple(mail.flaws),
    )


async def _opened(attachment: Attachment, media_type: str, open_file: Open, nest: Nest) -> Reading:
    if attachment.message:
        return await read(attachment.data, attachment.name, media_type, open_file, nest)
    return await open_file(attachment.data, attachment.name, nest)


def _parts(attachments: Iterable[Attachment]) -> Iterator[str]:
    """Yield the names of attachments, numbered where they are the same."""
    seen: Counter[str] = Counter()
    for attachment in attachments:
        seen[attachment.name] += 1
        again = f" ({seen[attachment.name]})" if seen[attachment.name] > 1 else ""
        yield attachment.name + again


def _inside(block: Block, part: str) -> Block:
    """Return a block of an attachment as one of the mail."""

    def move(place: Place) -> Place:
        return replace(place, part=part if place.part is None else f"{part} > {place.part}")

    return block.moved(move, LABEL.join(block.label))


def _own(mail: Mail) -> list[Block]:
    """Return the headers and the text of a mail, its lines counted as they are shown."""
    blocks = [Block(text=head, place=Place(), label=LABEL)] if (head := _head(mail)) else []
    said: list[Block] = []
    before = 0
    for page in _shown(mail.bodies):
        mail.flaws += page.flaws
        quotes = [(mark.start, mark.end) for mark in page.marks if mark.name == "quote"]
        for quoted, paragraph in stretches(page.text, quotes):
            place = Place(line=before + paragraph.line, last_line=before + paragraph.last_line)
            said.append(Block(text=paragraph.text, place=place, label=LABEL, quoted=quoted))
        before += page.text.count("\n") + 1
    if all(block.quoted for block in said):
        # A mail that is nothing but an earlier one is that one, passed on.
        return blocks + [replace(block, quoted=False) for block in said]
    return blocks + [_headed(block) if block.quoted else block for block in said]


def _headed(block: Block) -> Block:
    return replace(block, place=replace(block.place, heading=QUOTED))


def _head(mail: Mail) -> str:
    """Return the headers that are shown, one below the other."""
    shown = ("Subject", "From", "To", "Cc", "Date")
    lines = ((name, mail.headers.get(name.lower(), "")) for name in shown)
    return "\n".join(f"{name}: {text[:HEADER_LETTERS]}" for name, text in lines if text)


def _shown(bodies: Sequence[Body]) -> Iterator[html.Page]:
    """Yield the texts of a mail, of several forms of one the one that says more."""
    for choice, group in groupby(bodies, key=lambda body: body.choice):
        forms = [(body.html, _page(body)) for body in group]
        if choice:
            forms = [max(forms, key=_said)]
        yield from (page for _, page in forms)


def _said(form: tuple[bool, html.Page]) -> float:
    """Weigh a form of a text. Plain text is as it was meant, unless it is only a stand-in."""
    is_html, page = form
    return len(page.text.split()) * (1 if is_html else 4)


def _page(body: Body) -> html.Page:
    if body.html:
        return html.shown(body.data, body.charset)
    decoded = decode(body.data, body.charset)
    return html.Page(text=decoded.text, title="", marks=(), flaws=decoded.flaws)
