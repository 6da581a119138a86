"""Rules on the senses' weights and their process: nothing twice, nothing evicted in use."""

from agent.residency.audit.findings import Findings
from agent.residency.books import Books, JsonObject, Load

_ROUNDING_S = 1e-6


class Senses:
    """The process of the senses, and what is in it."""

    def __init__(self, limits: JsonObject, books: Books, findings: Findings) -> None:
        self._limits = limits
        self._books = books
        self._findings = findings
        self._failed: dict[str, tuple[int, float]] = {}

    def clear(self) -> None:
        """Forget what failed."""
        self._failed.clear()

    def fails(self, variant: str) -> bool:
        """Tell whether a variant has failed to load and is not tried again yet."""
        count, at = self._failed.get(variant, (0, float("-inf")))
        pause: float = min(60.0, float(self._limits["backoff_s"]) * 2.0 ** min(count - 1, 6))
        return self._books.t < at + pause

    def load(self, effect: JsonObject) -> None:
        """Begin a load."""
        self._findings.tally.loads += 1
        self._findings.rises(effect["load"])
        if self._books.of(effect["variant"]) is not None:
            self._broken("loaded", f"{effect['variant']} is loaded twice")
        self._books.loads[effect["load"]] = Load(
            variant=effect["variant"],
            size=effect["weights_bytes"],
            phase="coming",
            since=self._books.t,
        )

    def unload(self, effect: JsonObject) -> None:
        """Tell weights to go."""
        books = self._books
        load = books.loads.get(effect["load"])
        if load is None:
            self._broken("loaded", f"{effect['variant']} is unloaded and is not on the card")
            return
        if any(
            lease.in_worker and lease.variant == load.variant for lease in books.leases.values()
        ):
            self._broken("in use", f"{load.variant} is evicted while an operation runs in it")
        if load.phase == "coming" and books.t - load.since >= self._limits["load_s"] - _ROUNDING_S:
            self._count_failure(load.variant)
        self._findings.tally.evictions += load.phase != "going"
        load.phase, load.since, load.kept, load.kept_bytes = "going", books.t, None, 0

    def loaded(self, number: int) -> None:
        """Note that weights, or the executive, are there."""
        load = self._books.awaited(number, "coming")
        if load is not None:
            load.phase, load.since = "there", self._books.t
            self._failed.pop(load.variant, None)

    def load_failed(self, number: int) -> None:
        """Note that they are not."""
        load = self._books.awaited(number, "coming")
        if load is not None:
            self._count_failure(load.variant)
            self._books.gone(number, load)

    def unloaded(self, number: int) -> None:
        """Note that weights, or the executive, have gone."""
        load = self._books.awaited(number, "going")
        if load is not None:
            self._books.gone(number, load)

    def lost(self, variant: str) -> None:
        """Note that weights, if they were there, are gone without the arbiter's doing."""
        books = self._books
        for token in [
            one
            for one, lease in books.leases.items()
            if lease.in_worker and lease.variant == variant
        ]:
            books.close(token)
        for number, load in list(books.loads.items()):
            if load.variant == variant and load.phase == "there":
                books.gone(number, load)

    def kill_worker(self) -> None:
        """End the process: only with operations in it that do not stop when told."""
        self._findings.tally.restarts += 1
        books = self._books
        for token, lease in books.leases.items():
            overdue = lease.revoked_at is not None and (
                books.t - lease.revoked_at >= self._limits["revoke_s"] - _ROUNDING_S
            )
            if lease.in_worker and not overdue:
                self._broken("in use", f"the worker is killed while lease {token} runs in it")
        books.worker_gone()

    def worker_died(self) -> None:
        """Note that the process is gone."""
        if self._books.worker_phase != "gone":
            self._books.worker_gone()

    def start_worker(self) -> None:
        """Start the process."""
        if self._books.worker_phase != "gone":
            self._broken("loaded", "the worker is started twice")
        self._books.worker_phase = "coming"

    def worker_ready(self) -> None:
        """Note that the process is there."""
        if self._books.worker_phase == "coming":
            self._books.worker_phase, self._books.worker_since = "there", self._books.t

    def _count_failure(self, variant: str) -> None:
        self._failed[variant] = (self._failed.get(variant, (0, 0.0))[0] + 1, self._books.t)

    def _broken(self, rule: str, text: str) -> None:
        self._findings.broken(rule, text)
