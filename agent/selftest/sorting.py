"""Triage of a dozen mails."""

import json
from collections.abc import Mapping
from typing import Any

from agent.selftest import samples
from agent.selftest.section import Box, Section, each
from graphs import triage
from graphs.executive import Executive
from graphs.reply import ask

DESK = triage.Desk(
    categories=(
        triage.Category(name="answer", meaning="somebody waits for an answer of the user"),
        triage.Category(name="information", meaning="worth knowing; nobody waits for an answer"),
        triage.Category(name="advertising", meaning="something is to be sold to many"),
        triage.Category(name="fraud", meaning="somebody tries to get money or secrets by deceit"),
    )
)


async def section(executive: Executive, box: Box) -> Section:
    """Have each mail sorted once."""
    cases = samples.read("mails")
    found = Section(name="triage", planned=len(cases), judged=executive.profile.judgement)
    found.figures = {"valid": 0, "right": 0}

    async def asked(case: Mapping[str, Any]) -> str:
        mail = triage.Mail(
            sender=case["sender"],
            to="the user",
            date="",
            subject=case["subject"],
            body=case["body"],
        )
        wish = triage.wish(DESK)
        return (await ask(executive, triage.asked(DESK, mail), wish, lambda _: None)).text

    async for case, text in each(found, box, _mixed(cases), asked):
        category = _category(text)
        found.count("valid", int(category is not None))
        found.count("right", int(category == case["category"]))
        found.count(f"{case['category']}_as_{category or 'nothing'}")
    figures = found.figures
    found.told = [f"of {found.done}, {figures['valid']} sorted, {figures['right']} rightly"]
    return found


def _mixed(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the mails with the categories taking turns, so that a short time sees all of them."""
    seen: dict[str, int] = {}
    places = []
    for case in cases:
        seen[case["category"]] = seen.get(case["category"], 0) + 1
        places.append(seen[case["category"]])
    return [case for _, case in sorted(zip(places, cases, strict=True), key=lambda one: one[0])]


def _category(text: str | None) -> str | None:
    try:
        value = json.loads(text or "")
    except ValueError:
        return None
    category = value.get("category") if isinstance(value, dict) else None
    return category if category in [one.name for one in DESK.categories] else None
