"""A state in the making: what one decision changes, and the effects it calls for.

It lives within one call of `decide`; nobody else ever sees it.
"""

from dataclasses import replace
from typing import Any

from agent.residency.arbiter.effects import Effect, Refused, Revoked, Say, Withdrawn
from agent.residency.arbiter.events import EXECUTIVE
from agent.residency.arbiter.state import (
    Ask,
    CardState,
    Executive,
    Lease,
    Place,
    Residence,
    Turn,
    Worker,
)


class Draft:
    """Mutable copy of a state, with the sums over it."""

    def __init__(self, state: CardState, now: float) -> None:
        self.now = max(now, state.now)
        self.effects: list[Effect] = []
        self.adopt(state)

    def adopt(self, state: CardState) -> None:
        """Know what a state knows, and nothing else."""
        self.limits = state.limits
        self.serial = state.serial
        self.reading = state.reading
        self.residue = state.residue_bytes
        self.stuck = state.stuck_bytes
        self.freed = state.freed
        self.freed_at = state.freed_at
        self.executive: Executive = state.executive
        self.worker = state.worker
        self.worker_since = state.worker_since
        self.restarted_at = state.restarted_at
        self.residences = dict(state.residences)
        self.leases = dict(state.leases)
        self.asks = dict(state.asks)
        self.turns = dict(state.turns)
        self.hints = dict(state.hints)
        self.habits = dict(state.habits)
        self.failures = dict(state.failures)
        self.paused = state.paused
        self.recovering_until = state.recovering_until
        self.used_at = state.used_at

    def frozen(self, wake_at: float | None) -> CardState:
        """Return the state that has been made."""
        return CardState(
            limits=self.limits,
            now=self.now,
            serial=self.serial,
            reading=self.reading,
            residue_bytes=self.residue,
            stuck_bytes=self.stuck,
            freed=self.freed,
            freed_at=self.freed_at,
            executive=self.executive,
            worker=self.worker,
            worker_since=self.worker_since,
            restarted_at=self.restarted_at,
            residences=self.residences,
            leases=self.leases,
            asks=self.asks,
            turns=self.turns,
            hints=self.hints,
            habits=self.habits,
            failures=self.failures,
            paused=self.paused,
            recovering_until=self.recovering_until,
            used_at=self.used_at,
            wake_at=wake_at,
        )

    def say(self, text: str) -> None:
        """Put a line into the trace."""
        self.effects.append(Say(text=text))

    def number(self) -> int:
        """Return a new load or token."""
        self.serial += 1
        return self.serial

    # Sums, in bytes.

    def executive_bytes(self) -> int:
        """Return what the executive holds, or will."""
        executive = self.executive
        return self.limits.profiles[executive.profile].bytes if executive.place else 0

    def own(self) -> int:
        """Return what we may come to hold, at most, without what was freed."""
        held = self.limits.context_bytes + self.executive_bytes()
        for residence in self.residences.values():
            held += residence.weights_bytes
        for lease in self.leases.values():
            held += lease.working_bytes
        for ask in self.asks.values():
            if ask.placed is not None:
                held += ask.placed.working_bytes
        return held

    def unconfirmed(self) -> int:
        """Return what was freed and has not been measured to be free."""
        return self.residue + sum(size for size, _ in self.freed)

    def foreign(self) -> int:
        """Return what other programs held at the last reading."""
        return self.reading.foreign_bytes if self.reading else 0

    def room(self) -> int:
        """Return what may still be granted; below zero when the card is over its budget."""
        limits = self.limits
        ours = self.own() + self.unconfirmed()
        return limits.capacity_bytes - limits.safety_bytes - self.foreign() - ours

    def coming(self) -> int:
        """Return bytes that are on their way back: told to go, or freed and not stuck."""
        back = sum(
            one.weights_bytes for one in self.residences.values() if one.place is Place.LEAVING
        )
        if self.executive.place is Place.LEAVING:
            back += self.executive_bytes()
        return back + max(0, self.unconfirmed() - self.stuck)

    def fresh(self) -> bool:
        """Tell whether the last measurement is recent enough to grant bytes on."""
        return self.reading is not None and self.now - self.reading.taken_at <= self.limits.stale_s

    # Who uses what.

    def in_use(self, variant: str) -> bool:
        """Tell whether an operation runs in this variant."""
        return any(lease.variant == variant for lease in self.leases.values())

    def on_card(self) -> list[Lease]:
        """Return the leases whose operations run in the senses' worker."""
        return [
            lease
            for lease in self.leases.values()
            if lease.place == "cuda" and lease.variant != EXECUTIVE
        ]

    def in_turn(self) -> bool:
        """Tell whether the executive must stay as it is."""
        return self.now < self.recovering_until or any(
            turn.ends_at is not None and turn.place == "cuda" for turn in self.turns.values()
        )

    # Changes that several causes have in common.

    def free(self, size: int) -> None:
        """Note bytes that we let go; they count until a measurement confirms them."""
        if size:
            self.freed = (*self.freed, (size, self.now))
            self.freed_at = self.now

    def close(self, lease: Lease) -> None:
        """End a lease."""
        del self.leases[lease.token]
        self.free(lease.working_bytes)

    def revoke(self, lease: Lease, reason: str) -> None:
        """Ask an operation to stop; it is in use until it has."""
        if lease.revoked_at is None:
            self.leases[lease.token] = replace(lease, revoked_at=self.now)
            self.effects.append(Revoked(token=lease.token, reason=reason))

    def drop(self, residence: Residence) -> None:
        """Forget a variant that has left the card."""
        del self.residences[residence.variant]
        self.free(residence.weights_bytes)

    def unplace(self, name: str | None) -> None:
        """Let an ask wait again without the bytes that were kept for it."""
        ask = self.asks.get(name) if name is not None else None
        if ask is not None and ask.placed is not None:
            self.asks[ask.ask] = replace(ask, placed=None)

    def forget(self, ask: Ask | Turn, effect: Refused | Withdrawn) -> None:
        """Take an ask or a turn out of the queue, with this answer."""
        if isinstance(ask, Ask):
            del self.asks[ask.ask]
            for residence in self.residences.values():
                if residence.ask == ask.ask:
                    self.residences[residence.variant] = replace(residence, ask=None)
                    break
        else:
            del self.turns[ask.turn]
        self.effects.append(effect)

    def at_work(self) -> bool:
        """Tell whether anything is done, waited for or expected."""
        return bool(self.turns or self.leases or self.asks or self.hints)

    def resting(self) -> bool:
        """Tell whether nothing was done for so long that the card is given back."""
        rest_s = self.limits.rest_s
        return rest_s is not None and not self.at_work() and self.now >= self.used_at + rest_s

    def lose_worker(self) -> None:
        """Take note that the senses' process is gone, with all that was in it."""
        self.free(self.limits.context_bytes)
        for residence in list(self.residences.values()):
            self.unplace(residence.ask)
            self.drop(residence)
        for lease in self.on_card():
            if lease.revoked_at is None:
                self.effects.append(Revoked(token=lease.token, reason="the worker is gone"))
            self.close(lease)
        self.worker = Worker.DOWN
        self.worker_since = self.now

    def as_executive(self, **changes: Any) -> None:
        """Change what is known of the executive."""
        self.executive = replace(self.executive, **changes)
