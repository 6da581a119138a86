"""Earlier turns that prompts go on showing as they were. Pure.

A server with one slot does not evaluate again what the next prompt begins with. So as long as there
is room, a turn stands in later prompts with the passages and results that it had: nothing before
the new question is evaluated again, a passage that is found again is only named, and a question
that follows on finds in view what it follows on from. When the next turn would not find room beside
them, all are shown as question and answer alone, at once: giving them up one by one would change
the beginning of each prompt.
"""

from collections.abc import Sequence
from itertools import pairwise

from graphs.state import Kept, Passage, TurnState


def carried(
    state: TurnState, *, context_tokens: int, answer_tokens: int
) -> tuple[list[Kept], list[Passage]]:
    """Return the turns that the next one shows in full, and their passages, by their numbers.

    The next turn is taken to need as much as the largest of them did.
    """
    kept, passages = _standing(state)
    if not kept:
        return [], []
    totals = [0, *(one["tokens"] for one in kept)]
    growth = max(after - before for before, after in pairwise(totals))
    if totals[-1] + growth + answer_tokens > context_tokens:
        return [], []
    return kept, passages


def _standing(state: TurnState) -> tuple[list[Kept], list[Passage]]:
    """Return the turns that stood in full in the last prompt, the last turn among them."""
    answer, spent = state.get("answer"), state.get("spent")
    if not answer or answer.get("ended") or not spent or not spent["ask_tokens"]:
        return [], []
    question = state.get("asked_id")
    if question is None:
        return [], []  # an older version has run the turn
    earlier = list(state.get("kept") or [])
    passages: Sequence[Passage] = state["passages"]
    own = [one for one in passages if not one.get("earlier")]
    if sum(one["passages"] for one in earlier) != len(passages) - len(own):
        return [], []  # they were given up within the turn: its numbers begin behind them
    turn = Kept(
        question=question,
        asked=state["asked"],
        passages=len(own),
        above=above(passages),
        tasks=list(state["tasks"]),
        tokens=spent["ask_tokens"],
    )
    return [*earlier, turn], [_carried(one) for one in passages]


def above(passages: Sequence[Passage]) -> list[int]:
    """Return the numbers of earlier turns' passages that the question itself has found again."""
    return [
        number
        for number, one in enumerate(passages, start=1)
        if one.get("earlier") and "again" in one
    ]


def _carried(passage: Passage) -> Passage:
    plain = Passage(chunk=passage["chunk"], score=passage["score"], earlier=True)
    return {**plain, "call": passage["call"]} if "call" in passage else plain
