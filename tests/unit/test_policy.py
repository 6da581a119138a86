"""Which calls go ahead, which wait."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.labels import ENGINE_LABEL, USER_LABEL, Label, Origin
from tools.base import Effect
from tools.policy import ANSWER, Call, Grant, Purpose, Ruling, judge

MAIL = Label(origins=frozenset({Origin.MAIL}))
TARGETS = ("", "ann@example.org", "ben@example.org")
CALLS = st.builds(
    Call,
    tool=st.sampled_from(["send", "note", "look"]),
    effect=st.sampled_from(list(Effect)),
    target=st.sampled_from(TARGETS),
)
GRANTS = st.lists(
    st.builds(
        Grant,
        tool=st.sampled_from(["send", "note", "look"]),
        target=st.none() | st.sampled_from(TARGETS),
    ),
    max_size=3,
).map(tuple)
LABELS = st.frozensets(st.sampled_from(list(Origin))).map(lambda found: Label(origins=found))
STRICTNESS = [Ruling.ALLOW, Ruling.ASK, Ruling.REFUSE]


@pytest.mark.parametrize(
    ("effect", "label", "ruling"),
    [
        (Effect.READ, USER_LABEL, Ruling.ALLOW),
        (Effect.READ, MAIL, Ruling.ALLOW),
        (Effect.LOCAL, USER_LABEL, Ruling.ALLOW),
        (Effect.LOCAL, ENGINE_LABEL, Ruling.ALLOW),
        (Effect.LOCAL, USER_LABEL.join(MAIL), Ruling.ASK),
        (Effect.OUTWARD, USER_LABEL, Ruling.ASK),
        (Effect.OUTWARD, MAIL, Ruling.ASK),
    ],
)
def test_without_a_grant_the_effect_and_what_was_in_view_decide(
    effect: Effect, label: Label, ruling: Ruling
) -> None:
    verdict = judge(Call(tool="any", effect=effect, target=""), purpose=ANSWER, label=label)
    assert verdict.ruling is ruling
    assert verdict.reason


def test_an_act_within_the_purpose_goes_ahead_whatever_was_in_view() -> None:
    purpose = Purpose(name="tell Ann", grants=(Grant(tool="send", target="ann@example.org"),))
    call = Call(tool="send", effect=Effect.OUTWARD, target="ann@example.org")
    assert judge(call, purpose=purpose, label=MAIL).ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    "call",
    [
        Call(tool="send", effect=Effect.OUTWARD, target="mallory@example.org"),
        Call(tool="send", effect=Effect.OUTWARD, target="ann@example.org.evil.example"),
        Call(tool="send", effect=Effect.OUTWARD, target=""),
        Call(tool="sendall", effect=Effect.OUTWARD, target="ann@example.org"),
        Call(tool="SEND", effect=Effect.OUTWARD, target="ann@example.org"),
    ],
)
def test_a_grant_covers_nothing_that_only_looks_like_it(call: Call) -> None:
    purpose = Purpose(name="tell Ann", grants=(Grant(tool="send", target="ann@example.org"),))
    assert judge(call, purpose=purpose, label=USER_LABEL).ruling is Ruling.ASK


def test_a_grant_without_a_target_covers_every_target() -> None:
    purpose = Purpose(name="sort the mail", grants=(Grant(tool="move"),))
    for target in TARGETS:
        call = Call(tool="move", effect=Effect.OUTWARD, target=target)
        assert judge(call, purpose=purpose, label=MAIL).ruling is Ruling.ALLOW


@given(CALLS, GRANTS, LABELS, LABELS)
def test_more_words_in_view_never_make_an_act_easier(
    call: Call, grants: tuple[Grant, ...], label: Label, more: Label
) -> None:
    purpose = Purpose(name="p", grants=grants)
    before = judge(call, purpose=purpose, label=label).ruling
    after = judge(call, purpose=purpose, label=label.join(more)).ruling
    assert STRICTNESS.index(after) >= STRICTNESS.index(before)


@given(CALLS, GRANTS, LABELS)
def test_with_outside_words_in_view_only_what_was_granted_goes_ahead(
    call: Call, grants: tuple[Grant, ...], label: Label
) -> None:
    purpose = Purpose(name="p", grants=grants)
    ruling = judge(call, purpose=purpose, label=label).ruling
    if label.outside and call.effect is not Effect.READ:
        assert (ruling is Ruling.ALLOW) is purpose.covers(call)


def test_a_question_grants_nothing() -> None:
    for effect, target in product(Effect, TARGETS):
        assert not ANSWER.covers(Call(tool="remember", effect=effect, target=target))


def test_a_reason_names_the_purpose_and_what_was_in_view() -> None:
    call = Call(tool="send", effect=Effect.OUTWARD, target="ann@example.org")
    reason = judge(call, purpose=ANSWER, label=USER_LABEL.join(MAIL)).reason
    assert "answer the question" in reason
    assert "mail" in reason


def test_a_person_is_told_which_outside_words_were_in_view_and_no_others() -> None:
    call = Call(tool="note", effect=Effect.LOCAL, target="")
    verdict = judge(call, purpose=ANSWER, label=USER_LABEL.join(MAIL))
    assert verdict.reason.endswith("words from outside were in view (mail)")
