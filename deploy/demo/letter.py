"""Write a mail as a mail program would, byte for byte the same each time."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosure:
    """A file that hangs on a mail."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What a mail says."""

    sender: str
    recipient: str
    subject: str
    sent_at: datetime
    message_id: str
    answers: str
    """Message id of the mail that this one replies to."""
    plain: str
    html: str
    enclosures: tuple[Enclosure, ...]


def mail(letter: Letter) -> bytes:
    """Return the message with CRLF line ends: two alternatives of the text, then the files."""
    message = EmailMessage(policy=SMTP)
    message["Return-Path"] = f"<{letter.sender.partition('<')[2]}"
    message["Date"] = letter.sent_at
    message["From"] = letter.sender
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Message-ID"] = letter.message_id
    message["In-Reply-To"] = letter.answers
    message["References"] = letter.answers
    message.set_content(letter.plain, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for enclosure in letter.enclosures:
        main, _, sub = enclosure.media_type.partition("/")
        message.add_attachment(enclosure.data, maintype=main, subtype=sub, filename=enclosure.name)
    _fix_boundaries(message, letter.message_id)
    return message.as_bytes()


def _fix_boundaries(message: EmailMessage, message_id: str) -> None:
    """Name the boundaries after the message id, where Python would draw them at random."""
    stem = "".join(letter for letter in message_id if letter.isalnum())
    containers = [part for part in message.walk() if part.is_multipart()]
    for number, part in enumerate(containers):
        part.set_boundary(f"={stem}={number}")
