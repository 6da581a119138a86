"""A batch of mails to be sorted, in cortical's layout, and what of it no layout can spare."""

from collections.abc import Callable, Sequence

from agent.bench.prefix.bound import Need, Tokens
from agent.bench.prefix.mails import DESK, Sorted
from agent.bench.prefix.requests import Request
from graphs import triage

REASON = "as such mails were sorted before"
"""What is written behind the category: the same length for every layout."""


def requests(mails: Sequence[Sorted]) -> list[Request]:
    """Return what the executive is asked, mail by mail."""
    wish = triage.wish(DESK)
    return [
        Request(prompt=triage.asked(DESK, one.mail), wish=wish, reply=reply(one)) for one in mails
    ]


def reply(one: Sorted) -> str:
    """Return the answer that is written to a mail."""
    return triage.answer(one.category, REASON)


def needs(mails: Sequence[Sorted], tokenised: Callable[[str], Tokens]) -> list[Need]:
    """Return what each request must show: instructions, examples with their answers, the mail."""
    standing = [triage.system(DESK)]
    for example in DESK.examples:
        standing += [triage.shown(example.mail), triage.answer(example.category, example.reason)]
    known = tuple(tokenised(text) for text in standing)
    return [Need(texts=(*known, tokenised(triage.shown(one.mail)))) for one in mails]
