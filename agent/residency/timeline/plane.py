"""Where a moment lies in a picture, and which moments are in it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """The columns of a picture, in pixels, for a window of time, in seconds."""

    left: float
    width: float
    begins: float
    ends: float

    @property
    def right(self) -> float:
        """The last column."""
        return self.left + self.width

    @property
    def pixel_s(self) -> float:
        """How much time a pixel is."""
        return (self.ends - self.begins) / self.width

    def x(self, t: float) -> float:
        """Return the column of a moment; what is outside stands at the edge."""
        share = (t - self.begins) / (self.ends - self.begins)
        return self.left + self.width * min(1.0, max(0.0, share))

    def shows(self, t: float) -> bool:
        """Tell whether a moment is within."""
        return self.begins <= t <= self.ends
