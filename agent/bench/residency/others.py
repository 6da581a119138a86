"""Models of what others do with a card: simple, and each as good as its rules allow."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.bench.residency import costs
from agent.bench.residency.costs import Memory
from agent.bench.residency.day import Step
from agent.bench.residency.stage import Stage, Work, cpu_s, ideal_s, models_of, working_bytes

EXECUTIVE = "executive"
KEEP_ALIVE_S = 300.0
PEOPLE_FIRST = "the same, people first"
"""No other's policy: what our order of asks alone does for the strongest of them."""
_HEADROOM = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What a policy does."""

    name: str
    keeps: frozenset[str] = frozenset()
    """Of executive and senses: what is loaded once and stays."""
    frees: frozenset[str] = frozenset()
    """Of executive and senses: what leaves after each call."""
    memory: Memory = Memory.PAGEABLE
    own_processes: bool = False
    """Whether each model has a process, with a context, of its own."""
    one_sense: bool = False
    """Whether a sense that is loaded drives the other ones out."""
    keep_alive_s: float | None = None
    """After which an idle sense leaves."""
    evicts: bool = False
    """Whether it evicts idle models, as Ollama does, when a prediction says so."""
    people_first: bool = False
    """Whether a person's step goes before those of jobs, as ours do."""
    measures: bool = False
    """Whether it looks at what is really free before it loads."""


_EXECUTIVE, _SENSES = "executive", "senses"
RULES = (
    Rules(name="all at once", keeps=frozenset({_EXECUTIVE, _SENSES})),
    Rules(name="load and free", frees=frozenset({_EXECUTIVE, _SENSES}), measures=True),
    Rules(
        name="load and free, executive kept",
        keeps=frozenset({_EXECUTIVE}),
        frees=frozenset({_SENSES}),
        measures=True,
    ),
    Rules(
        name=PEOPLE_FIRST,
        keeps=frozenset({_EXECUTIVE}),
        frees=frozenset({_SENSES}),
        measures=True,
        people_first=True,
    ),
    Rules(
        name="Ollama's eviction",
        keep_alive_s=KEEP_ALIVE_S,
        evicts=True,
        own_processes=True,
    ),
    Rules(
        name="llama-swap's groups",
        keeps=frozenset({_EXECUTIVE}),
        one_sense=True,
        memory=Memory.DISK,
        own_processes=True,
    ),
)


@dataclass(kw_only=True, slots=True)
class _Request:
    work: Work
    step: Step
    model: str
    weights_bytes: int
    working_bytes: int
    retried: bool = False


@dataclass(kw_only=True, slots=True)
class _Loaded:
    model: str
    phase: str
    """loading, there, leaving"""
    used_at: float
    load: int = 0
    busy: bool = False
    spilled: bool = False


class Others:
    """Serves requests in the order in which they came, as far as the rules let it."""

    def __init__(self, stage: Stage, rules: Rules) -> None:
        self._stage = stage
        self._rules = rules
        self._queue: list[_Request] = []
        self._loaded: dict[str, _Loaded] = {}
        self._loads = 0
        self._blocked_until = -1.0

    def start(self) -> None:
        """Load what is to stay."""
        if not self._rules.own_processes:
            self._stage.take("context", costs.CONTEXT_BYTES)
        if _EXECUTIVE in self._rules.keeps or self._rules.evicts:
            self._load(EXECUTIVE, self._executive_bytes)
        if _SENSES in self._rules.keeps:
            for do in ("hearing", "sight", "speech"):
                name = models_of(self._stage.card, do)[0]
                self._load(name, costs.MODELS[name].weights_bytes)

    def foreign_changed(self) -> None:
        """Nobody looks, but whoever waits may try again."""
        self._pump()

    def begin(self, work: Work) -> None:
        """Take a job on."""
        if work.next >= len(work.steps):
            self._stage.ended(work)
            return
        step = work.steps[work.next]
        if step.do == "executive":
            model, weights, working = EXECUTIVE, self._executive_bytes, 0
        else:
            model = models_of(self._stage.card, step.do)[0]
            weights = costs.MODELS[model].weights_bytes
            working = working_bytes(model, step)
        self._queue.append(
            _Request(
                work=work, step=step, model=model, weights_bytes=weights, working_bytes=working
            )
        )
        self._pump()

    @property
    def _executive_bytes(self) -> int:
        return self._stage.card.profiles[0].bytes

    @property
    def _now(self) -> float:
        return self._stage.clock.now

    # The queue.

    def _pump(self) -> None:
        """Begin whatever can begin, the oldest first."""
        loading = any(one.phase == "loading" for one in self._loaded.values())
        held = False
        for request in self._ordered():
            loaded = self._loaded.get(request.model)
            if loaded is not None and loaded.phase == "there" and not loaded.busy:
                self._queue.remove(request)
                self._serve(request, loaded)
            elif loaded is None and not loading and not held and self._now >= self._blocked_until:
                held = True
                loading = self._admit(request)

    def _ordered(self) -> list[_Request]:
        if self._rules.people_first:
            return sorted(self._queue, key=lambda one: not one.work.job.person_waits)
        return list(self._queue)

    def _admit(self, request: _Request) -> bool:
        """Make room for a model and load it, or run it elsewhere. Tell whether it is loading."""
        rules = self._rules
        kind = _EXECUTIVE if request.model == EXECUTIVE else _SENSES
        if kind in rules.keeps and kind not in rules.frees:
            self._queue.remove(request)
            self._elsewhere(request)
            return False
        if rules.one_sense and not self._alone(request):
            return False
        if rules.evicts and not self._predicted(request):
            return False
        need = request.weights_bytes + request.working_bytes + self._context(request.model)
        if rules.measures and need > self._stage.free_bytes:
            if any(one.busy or one.phase != "there" for one in self._loaded.values()):
                return False
            if self._lagging():
                return False
            self._queue.remove(request)
            self._elsewhere(request)
            return False
        return self._load_for(request)

    def _lagging(self) -> bool:
        """Tell whether bytes that were let go are not free yet; then try again shortly."""
        if self._stage.lagging:
            self._stage.clock.after(costs.LAG_S, self._pump)
        return self._stage.lagging

    def _load_for(self, request: _Request) -> bool:
        if self._load(request.model, request.weights_bytes):
            return True
        if self._rules.evicts and not request.retried:
            request.retried = True
            for one in list(self._loaded.values()):
                if not one.busy and one.phase == "there":
                    self._unload(one)
            self._block()
            return False
        self._queue.remove(request)
        self._elsewhere(request)
        return False

    def _alone(self, request: _Request) -> bool:
        """Drive the other senses out; tell whether none is left."""
        others = [
            one for one in self._loaded.values() if one.model not in (request.model, EXECUTIVE)
        ]
        for one in others:
            if not one.busy and one.phase == "there":
                self._unload(one)
        return not others

    def _predicted(self, request: _Request) -> bool:
        """Do as Ollama: evict the first idle model while the prediction says that it is tight.

        It knows its own models and what was free when it started; other programs' later use, it
        does not see.
        """
        known = self._stage.card.capacity_bytes - costs.DESKTOP_BYTES
        there = list(self._loaded.values())
        free = known - sum(self._stage.size(one.model) for one in there)
        need = request.weights_bytes + request.working_bytes
        if not there or need <= _HEADROOM * free:
            return True
        if any(one.phase == "leaving" for one in there):
            return False
        idle = [one for one in there if not one.busy and one.phase == "there"]
        idle.sort(key=lambda one: (one.model == EXECUTIVE, one.model))
        if idle:
            self._unload(idle[0])
            self._block()
        return False

    def _block(self) -> None:
        """Stand still until the memory of what was unloaded is seen."""
        self._blocked_until = self._now + costs.RECOVERY_S
        self._stage.clock.after(costs.RECOVERY_S, self._pump)

    # Models.

    def _context(self, model: str) -> int:
        own = self._rules.own_processes and model != EXECUTIVE
        return costs.CONTEXT_BYTES if own else 0

    def _load(self, model: str, weights: int) -> bool:
        stage = self._stage
        if not stage.take(model, weights + self._context(model)):
            return False
        if model == EXECUTIVE:
            stage.executive_counted(weights)
            load_s = costs.EXECUTIVE_S
        else:
            stage.load_counted(weights)
            load_s = costs.MODELS[model].load_s(self._rules.memory)
            load_s += costs.PROCESS_S if self._rules.memory is Memory.DISK else 0.0
        self._loads += 1
        loaded = _Loaded(model=model, phase="loading", used_at=self._now, load=self._loads)
        self._loaded[model] = loaded

        def finish() -> None:
            loaded.phase = "there"
            loaded.used_at = self._now
            self._pump()

        stage.clock.after(load_s, finish)
        return True

    def _unload(self, loaded: _Loaded) -> None:
        loaded.phase = "leaving"

        def finish() -> None:
            if self._loaded.get(loaded.model) is loaded:
                del self._loaded[loaded.model]
            self._stage.give_later(loaded.model)
            self._pump()

        self._stage.clock.after(costs.UNLOAD_S, finish)

    # Operations.

    def _serve(self, request: _Request, loaded: _Loaded) -> None:
        stage = self._stage
        working = f"working {loaded.load} {self._now}"
        if request.working_bytes and not stage.take(working, request.working_bytes):
            self._elsewhere(request)
            return
        loaded.busy = True
        if request.model == EXECUTIVE:
            took_s = stage.call_s(request.work, request.step, loaded.load)
        else:
            took_s = ideal_s(stage.card, request.step)

        def finish() -> None:
            loaded.busy = False
            loaded.used_at = self._now
            stage.give_later(working)
            self._after(loaded)
            self._go_on(request)

        stage.clock.after(took_s, finish)

    def _elsewhere(self, request: _Request) -> None:
        """Run a sense on the CPU, or the executive spilled to it: each call by itself."""
        stage = self._stage
        if request.model == EXECUTIVE:
            took_s = stage.call_s(request.work, request.step, -1, spilled=True)
        else:
            stage.tally.on_cpu += 1
            took_s = cpu_s(request.step)
        stage.clock.after(took_s, lambda: self._go_on(request))

    def _after(self, loaded: _Loaded) -> None:
        rules = self._rules
        kind = _EXECUTIVE if loaded.model == EXECUTIVE else _SENSES
        if kind in rules.frees:
            self._unload(loaded)
        elif rules.keep_alive_s is not None and kind == _SENSES:
            self._stage.clock.after(rules.keep_alive_s, self._expiry(loaded))

    def _expiry(self, loaded: _Loaded) -> Callable[[], None]:
        def expire() -> None:
            idle_s = self._now - loaded.used_at
            alive = self._loaded.get(loaded.model) is loaded and loaded.phase == "there"
            if alive and not loaded.busy and idle_s >= (self._rules.keep_alive_s or 0) - 1e-6:
                self._unload(loaded)

        return expire

    def _go_on(self, request: _Request) -> None:
        request.work.next += 1
        self.begin(request.work)
        self._pump()
