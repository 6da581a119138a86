"""What a mail says of itself: who sent it to whom, and which earlier mails it goes back to."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A mail as far as others refer to it."""

    message_id: str
    """Its Message-ID without brackets, or something else that is the same for the same mail."""
    sender: str = ""
    """Address alone, in lower case."""
    recipients: tuple[str, ...] = ()
    """Addresses alone, in lower case."""
    ancestors: tuple[str, ...] = ()
    """Message-IDs of earlier mails of its thread, its parent's last."""
    topic: str = ""
    """Its subject without prefixes and tags, in lower case."""
    answers: bool = False
    """Whether its subject calls it a reply."""

    @property
    def orphan(self) -> bool:
        """Whether it is a reply of which only the subject says to what."""
        return self.answers and bool(self.topic) and not self.ancestors


def node(message_id: str) -> str:
    """Return the short name under which a Message-ID stands in the threads."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:20]
