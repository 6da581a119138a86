"""What one step of reasoning asks of the executive: in time, and so that a stop loses no word."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.messages import AnyMessage, HumanMessage

from graphs import drafts, limits, offers, prompts, view
from graphs.context import Step
from graphs.drafts import Draft, Heard, Stage
from graphs.errors import ExecutiveError, PromptTooLongError
from graphs.executive import CallPart, EndReason, Prompt, Wish
from graphs.limits import Left, Verdict
from graphs.meter import Meter
from graphs.reply import Reply, ask
from graphs.state import Ended, Task, TurnState


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What the executive has said."""

    text: str
    """All of the answer, with what an earlier try had written of it."""
    calls: tuple[CallPart, ...] = ()
    cut: str = ""
    """After what it was cut off; empty: it came to its end."""
    ended: Ended | None = None
    """The budget that cut it off."""


class OutOfTimeError(Exception):
    """The time of the turn ran out while the executive was asked."""

    def __init__(self, ended: Ended, said: Said | None = None) -> None:
        super().__init__(ended["reason"])
        self.ended = ended
        self.said = said


class Asks:
    """The asks of one step."""

    def __init__(
        self, state: TurnState, step: Step, seen: view.View, meter: Meter, draft: Draft | None
    ) -> None:
        self.state = state
        self.step = step
        self.seen = seen
        self.draft = draft
        self.verdict = self._judged(meter, draft)
        self.offer = offers.Offer(tools=(), shown=tuple(state.get("tools_shown") or ()))
        self._meter = meter
        self._count = 0
        self._condensed: dict[str, Any] = {}

    @classmethod
    async def begun(cls, state: TurnState, step: Step, meter: Meter) -> "Asks":
        """Open what is in view, and take up what a stopped try has left."""
        seen = await view.opened(state, step)
        draft = await drafts.left(state, step)
        if draft is not None:
            seen = replace(seen, label=seen.label.join(draft.label))
            read, written = draft.before
            meter.add(read=read, written=written)
            meter.spent["seconds"] = draft.seconds
            step.emit(draft.usage())
        return cls(state, step, seen, meter, draft)

    def _judged(self, meter: Meter, draft: Draft | None) -> Verdict:
        verdict = limits.judged(
            rounds=self.state["rounds"],
            spent=meter.spent,
            elapsed_s=meter.seconds(self.step.services.clock.now()),
            tasks=self.state["tasks"],
            limits=self.step.services.limits,
        )
        if verdict.left is Left.WORK and draft is not None and draft.stage is Stage.LAST:
            return Verdict(left=Left.ANSWER, ended=draft.ended)
        return verdict

    @property
    def rounds(self) -> int:
        """How often the executive was asked in the turn; a step counts at least once."""
        return self.state["rounds"] + max(1, self._count)

    def before(self) -> Said | None:
        """Return what an earlier try has written, as it stands."""
        if self.draft is None or not self.draft.text.strip():
            return None
        return Said(text=self.draft.text, cut="when it was stopped")

    def first(self) -> Said | None:
        """Return the answer that was being repaired when the run was stopped."""
        if self.draft is None or self.draft.stage is not Stage.REPAIR:
            return None
        self.step.emit({"event": "begun", "text": self.draft.text})
        return Said(text=self.draft.text, ended=self.draft.ended)

    async def working(self) -> Said:
        """Ask with tools. An answer that was begun in words goes on in words."""
        executive = self.step.services.executive
        begun = self._begun(Stage.WORK)
        self.offer = offers.offered(self.state, self.step)
        wish = self._wish(begun, think=self.step.services.think)
        wish = replace(wish, tools=self.offer.tools)
        if begun and not executive.profile.native_tools:
            wish = replace(wish, tools=())
        elif self.offer.must_call and not begun:
            wish = replace(wish, must_call=True, think=False)
        return await self._asked(Stage.WORK, wish, begun=begun)

    def called(self, said: Said) -> list[Task]:
        """Return the calls of an answer that was asked for with tools, valid or not."""
        cut = said.cut if self.offer.must_call else ""
        calls = offers.made(said.calls, said.text, cut, self.offer)
        return offers.taken(calls, self.state, self.step, self.seen.label) if calls else []

    async def last(self, ended: Ended) -> Said:
        """Ask for an answer from what there is."""
        begun = self._begun(Stage.LAST)
        more = [HumanMessage(prompts.LAST.format(reason=ended["reason"]))]
        wish = self._wish(begun, think=self.step.services.think)
        if not (begun or self.step.services.executive.profile.native_tools):
            wish = self._in_words(wish)
        return await self._asked(Stage.LAST, wish, more, begun=begun, ended=ended)

    async def repair(self, said: Said, more: Sequence[AnyMessage]) -> Said:
        """Ask for a better answer than the one that stands."""
        wish = self._in_words(self._wish(think=False))
        return await self._asked(Stage.REPAIR, wish, more, ended=said.ended, stands=said.text)

    def repairable(self) -> bool:
        """Whether tokens and time allow for a second answer."""
        elapsed_s = self._meter.seconds(self.step.services.clock.now())
        return limits.repairable(self._meter.spent, elapsed_s, self.step.services.limits)

    def _begun(self, stage: Stage) -> str:
        draft = self.draft
        return draft.text if draft is not None and draft.stage is stage else ""

    def _wish(self, begun: str = "", *, think: bool) -> Wish:
        """Return a wish for an answer in words, within the tokens that are left."""
        bounds = self.step.services.limits
        think = think and not begun
        wanted = bounds.answer_tokens + (bounds.thought_tokens if think else 0)
        left = limits.tokens_left(self._meter.spent, bounds)
        room = max(limits.ANSWER_TOKENS, min(wanted - len(begun) // 3, left))
        return Wish(max_tokens=room, think=think, may_be_cut=left <= room)

    def _in_words(self, wish: Wish) -> Wish:
        """Return a wish for words that shows the tools of the turn: the beginning stays the same.

        A server whose calls go by its own template cannot forbid them, so the last answer, which
        nothing comes after, is asked of it without tools.
        """
        if not self.offer.shown:
            return wish
        box = self.step.services.executor.toolbox
        return replace(wish, tools=box.specs(self.offer.shown), may_call=False)

    async def _asked(
        self,
        stage: Stage,
        wish: Wish,
        more: Sequence[AnyMessage] = (),
        *,
        begun: str = "",
        ended: Ended | None = None,
        stands: str = "",
    ) -> Said:
        if begun:
            self.step.emit({"event": "begun", "text": begun})
        heard = Heard(emit=self.step.emit)
        self._count += stage is not Stage.REPAIR
        prompt = Prompt(system="", messages=())
        try:
            async with self.in_time():
                prompt, wish = await self._fitted(wish, more, begun)
                reply = await self._replied(prompt, wish, heard, more)
        except OutOfTimeError as late:
            await self._tell(prompt, wish, heard)
            cut = f"after {self.step.services.limits.seconds:g} seconds"
            said = Said(text=begun + heard.text, cut=cut, ended=late.ended)
            raise OutOfTimeError(late.ended, said) from None
        except asyncio.CancelledError:
            # No part of an answer that has a shape is of use without the rest.
            shaped = wish.shaped(self.step.services.executive.profile)
            text = stands or ("" if shaped else begun + heard.text)
            await self._keep(text, stage, ended, await self._took(prompt, wish, heard))
            raise
        return self._said(reply, begun)

    async def _fitted(
        self, wish: Wish, more: Sequence[AnyMessage], begun: str
    ) -> tuple[Prompt, Wish]:
        """Return prompt and wish as they fit; what was condensed for it is kept."""
        made = await view.fitted(self.state, self.step, self.seen, wish, more=more)
        self._condensed |= made.update
        self.state = cast(TurnState, {**self.state, **made.update})
        return replace(made.prompt, begun=begun), made.wish

    async def _replied(
        self, prompt: Prompt, wish: Wish, heard: Heard, more: Sequence[AnyMessage]
    ) -> Reply:
        """Ask; where the server counts more than the bound, make the prompt fit once more."""
        executive = self.step.services.executive
        try:
            return await ask(executive, prompt, wish, heard)
        except PromptTooLongError:
            fitted = await self._fitted(wish, more, prompt.begun)
            if fitted == (prompt, wish):
                raise
        return await ask(executive, *fitted, heard)

    def _said(self, reply: Reply, begun: str) -> Said:
        cut = f"after {reply.end.answer_tokens} tokens"
        lengthy = reply.end.reason is EndReason.LENGTH
        spare = limits.tokens_left(self._meter.spent, self.step.services.limits)
        ended = limits.tokens_ended(self._meter.spent, self.step.services.limits)
        return Said(
            text=begun + reply.text,
            calls=reply.calls,
            cut=cut if lengthy else "",
            ended=ended if lengthy and spare < limits.ANSWER_TOKENS else None,
        )

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Stop the block where the time of the turn runs out. Raises OutOfTimeError."""
        bounds = self.step.services.limits
        now = self.step.services.clock.now()
        timer = asyncio.timeout(bounds.seconds - self._meter.seconds(now))
        try:
            async with timer:
                yield
        except TimeoutError:
            if not timer.expired():
                raise
            raise OutOfTimeError(limits.time_ended(bounds.seconds, bounds)) from None

    async def _took(self, prompt: Prompt, wish: Wish, heard: Heard) -> tuple[int, int]:
        """Return what a try took whose stream had no end."""
        with suppress(ExecutiveError):
            return (await self.step.services.executive.count(prompt, wish)).tokens, heard.pieces
        return 0, heard.pieces

    async def _tell(self, prompt: Prompt, wish: Wish, heard: Heard) -> None:
        read, written = await self._took(prompt, wish, heard)
        event = {"prompt_tokens": read, "cached_tokens": 0, "answer_tokens": written}
        self.step.emit({"event": "usage", **event, "estimated": True})

    async def _keep(
        self, text: str, stage: Stage, ended: Ended | None, took: tuple[int, int]
    ) -> None:
        draft = Draft(
            text=text,
            stage=stage,
            ended=ended,
            read=took[0],
            written=took[1],
            before=self._meter.here,
            seconds=self._meter.seconds(self.step.services.clock.now()),
            label=self.seen.label,
            tries=0 if self.draft is None else self.draft.tries,
        )
        await drafts.keep(draft, self.state, self.step)

    def update(self, **parts: Any) -> dict[str, Any]:
        """Return an update of the state that counts what was asked."""
        return {**parts, **self._condensed, "rounds": self.rounds}
