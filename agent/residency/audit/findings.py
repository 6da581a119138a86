"""What an audit has found so far: violations, counts, and the numbers that have to rise."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A rule that the arbiter broke."""

    line: int
    at_s: float
    rule: str
    text: str


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a trace holds, in numbers."""

    steps: int = 0
    asks: int = 0
    granted: int = 0
    admitted: int = 0
    refused: int = 0
    withdrawn: int = 0
    lost_in_restarts: int = 0
    loads: int = 0
    evictions: int = 0
    executive_loads: int = 0
    restarts: int = 0
    longest_wait_s: dict[str, float] = field(default_factory=lambda: {"person": 0.0, "job": 0.0})
    most_passed: int = 0


class Findings:
    """Of one trace, in the order of its lines."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.tally = Tally()
        self.last_number = 0
        """The highest token or load so far, also of earlier lives of the arbiter."""
        self._line = 0
        self._at_s = float("-inf")

    def at(self, line: int, at_s: float) -> None:
        """Go on to a line."""
        if at_s < self._at_s:
            self._line = line
            self.broken("time", f"time runs backwards, from {self._at_s} to {at_s}")
        self._line, self._at_s = line, max(self._at_s, at_s)

    def broken(self, rule: str, text: str) -> None:
        """Write down that the line breaks a rule."""
        self.violations.append(Violation(line=self._line, at_s=self._at_s, rule=rule, text=text))

    def rises(self, number: int) -> None:
        """Take a new token or load, which has to be above all earlier ones."""
        if number <= self.last_number:
            self.broken("token", f"{number} does not rise above {self.last_number}")
        self.last_number = max(self.last_number, number)
