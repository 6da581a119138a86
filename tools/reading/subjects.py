"""Subjects of mails: what they are about, without what mail programs and lists put around it."""

import re

LETTERS = 200
"""Of a subject that are compared."""

# "Re" and "Fwd" as mail programs write them in the languages of Europe and East Asia.
_REPLY = "re|aw|antw|antwort|sv|vs|rif|ref|res|odp|ynt|att|r|回复|答复|回覆|답장"
_FORWARD = "fwd|fw|wg|vl|vb|tr|rv|enc|i|doorst|转发|轉寄|전달"
_COUNT = r"(?:\s*[\[(]\d{1,4}[\])])?"
_PREFIX = re.compile(rf"(?:(?P<reply>{_REPLY})|{_FORWARD}){_COUNT}\s*[:：]\s*", re.IGNORECASE)
_TAG = re.compile(r"\[[^\[\]]{0,60}\]\s*")
_TRAILER = re.compile(r"\s*\(fwd?\)$", re.IGNORECASE)
_WRAPPER = re.compile(r"\[fwd?:\s*(.*)\]$", re.IGNORECASE)


def topic(subject: str) -> tuple[str, bool]:
    """Return what a subject is about, in lower case, and whether it calls the mail a reply.

    By the rules of RFC 5256 on base subjects, with the prefixes of more languages than English.
    """
    text = " ".join(subject[: 4 * LETTERS].split())
    answers = False
    before = None
    while text != before:
        before = text
        text = _TRAILER.sub("", text)
        if wrapped := _WRAPPER.match(text):
            text = wrapped[1].strip()
        if prefix := _PREFIX.match(text):
            answers = answers or prefix["reply"] is not None
            text = text[prefix.end() :]
        # A subject that is nothing but a tag keeps it.
        elif (tag := _TAG.match(text)) and tag.end() < len(text):
            text = text[tag.end() :]
    return text.casefold()[:LETTERS], answers
