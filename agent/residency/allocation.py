"""How ggml lays the tensors of a graph into one buffer, and how large that buffer grows. Pure.

The rules are those of ggml's graph allocator: inputs first, then each node in order; the tightest
free block that holds it, and only if there is none the open end; a node takes the place of a parent
that nobody else reads if its operation can work in place; what has been read for the last time is
free again, and neighbours that are free become one block.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

ALIGNMENT = 128
"""Bytes that every tensor on a CUDA card is rounded up to."""

_ENDLESS = 1 << 62


@dataclass(eq=False, slots=True)
class Tensor:
    """A node, an input or a view; weights and caches lie elsewhere and are none of these."""

    size: int
    """Bytes; 0 for a view."""
    sources: tuple["Tensor", ...] = ()
    whole: "Tensor | None" = None
    """What it is a view of."""
    in_place: bool = False
    """Whether its operation can write over what it reads."""
    layout: tuple[int, ...] = ()
    """Equal for tensors that can take each other's place."""
    readers: int = field(default=0, repr=False)
    views: int = field(default=0, repr=False)
    offset: int = field(default=-1, repr=False)
    """Its place; -1 while it has none."""

    @property
    def is_view(self) -> bool:
        """Whether it has no bytes of its own."""
        return self.whole is not None


class Graph:
    """Tensors in the order in which they are computed."""

    def __init__(self) -> None:
        self.nodes: list[Tensor] = []
        self.inputs: list[Tensor] = []
        self._seen: set[int] = set()

    def expand(self, tensor: Tensor) -> None:
        """Add a tensor after all that it is computed from."""
        if id(tensor) in self._seen:
            return
        self._seen.add(id(tensor))
        for source in tensor.sources:
            self.expand(source)
        (self.nodes if tensor.sources else self.inputs).append(tensor)

    def peak_bytes(self, *, alignment: int = ALIGNMENT) -> int:
        """Return the size of the buffer that holds the graph while it runs."""
        room = _Room(alignment)
        order = [*self.inputs, *self.nodes]
        for tensor in order:
            if tensor.whole is not None:
                tensor.whole.views += 1
            for source in tensor.sources:
                source.readers += 1
        for tensor in order:
            if not tensor.is_view and not _took_over(tensor):
                tensor.offset = room.take(tensor.size)
            for source in tensor.sources:
                _read(source, room)
        return room.peak


def _took_over(tensor: Tensor) -> bool:
    """Give a tensor the place of a parent, if it can have it."""
    if not tensor.in_place:
        return False
    for parent in tensor.sources:
        alone = parent.readers == 1 and not parent.views
        if parent.offset >= 0 and alone and parent.layout == tensor.layout:
            tensor.offset, parent.offset = parent.offset, -1
            return True
    return False


def _read(source: Tensor, room: "_Room") -> None:
    source.readers -= 1
    if source.readers or source.views:
        return
    if source.whole is not None:
        source.whole.views -= 1
        source = source.whole
    if not source.readers and not source.views and source.offset >= 0:
        room.free(source.offset, source.size)
        source.offset = -1


class _Room:
    """Free blocks of a buffer without end, by their place."""

    def __init__(self, alignment: int) -> None:
        self._alignment = alignment
        self._offsets = [0]
        self._sizes = [_ENDLESS]
        self.peak = 0

    def take(self, size: int) -> int:
        """Return the place of a tensor."""
        size = self._rounded(size)
        number = self._tightest(size)
        offset = self._offsets[number]
        if self._sizes[number] == size:
            del self._offsets[number], self._sizes[number]
        else:
            self._offsets[number] += size
            self._sizes[number] -= size
        self.peak = max(self.peak, offset + size)
        return offset

    def free(self, offset: int, size: int) -> None:
        """Take a tensor's place back; neighbours that are free become one block with it."""
        size = self._rounded(size)
        number = bisect_left(self._offsets, offset)
        if number < len(self._offsets) and offset + size == self._offsets[number]:
            size += self._sizes[number]
            del self._offsets[number], self._sizes[number]
        if number and self._offsets[number - 1] + self._sizes[number - 1] == offset:
            self._sizes[number - 1] += size
            return
        self._offsets.insert(number, offset)
        self._sizes.insert(number, size)

    def _tightest(self, size: int) -> int:
        """Return the smallest block that holds a size, the last of equal ones, or the open end."""
        best, smallest = len(self._sizes) - 1, _ENDLESS
        for number in range(len(self._sizes) - 1):
            if size <= self._sizes[number] <= smallest:
                best, smallest = number, self._sizes[number]
        return best

    def _rounded(self, size: int) -> int:
        return -(-size // self._alignment) * self._alignment
