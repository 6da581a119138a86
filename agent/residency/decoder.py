"""The graph of a decoder as llama.cpp builds it for one batch, and the buffer that it needs. Pure.

llama.cpp builds the graph of its largest batch when it loads, lays it out (`allocation`) and keeps
that buffer. So the rule is the graph itself, tensor by tensor, as `llama-graph.cpp` and the
builders of the architectures make it; the nodes were compared with what llama.cpp prints under
`GGML_SCHED_DEBUG=2`. On a card the token embedding is looked up by the CPU, and whatever the CPU
hands over (rows, positions, masks) has a copy in the card's buffer.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from agent.residency.allocation import ALIGNMENT, Graph, Tensor

F32, F16, I32, I64 = 4, 2, 4, 8
CPU_ALIGNMENT = 32


class Generation(StrEnum):
    """How llama.cpp builds its graphs, by the build from which it does so."""

    B2500 = "b2500"
    """From March 2024: a mask of 32 bits, cast for flash attention; logits for the whole batch."""
    B5900 = "b5900"
    """From summer 2025: the cache is written by row numbers, and a gate is one operation."""
    B10900 = "b10900"
    """From summer 2026: logits for one token of each request; a mask of 16 bits where flash
    attention reads it; a quantised cache is rotated."""
    B11500 = "b11500"
    """From autumn 2026: batches may mix tokens and embeddings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """What of a layer decides how large its tensors are, in numbers for one token."""

    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    feed_forward: int = 0
    """Width of the gate; of one expert where there are experts."""
    experts: int = 0
    experts_used: int = 0
    shared_feed_forward: int = 0
    """Width of the expert that every token takes; 0 where there is none."""
    windowed: bool = False
    fused_attention: bool = False
    """Queries, keys and values come out of one product."""
    fused_gate: bool = False
    """Gate and values of the feed-forward come out of one product, as of Phi."""

    @property
    def query(self) -> int:
        """Values of all queries."""
        return self.heads * self.key_length

    @property
    def key(self) -> int:
        """Values of all keys."""
        return self.kv_heads * self.key_length

    @property
    def value(self) -> int:
        """Values of all values."""
        return self.kv_heads * self.value_length


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is computed at once."""

    tokens: int
    outputs: int
    """Tokens that logits are kept for."""
    cells: int
    """Of the cache, for layers that look back over all of it."""
    window_cells: int = 0
    """Of the cache of layers with a window."""
    flash_attention: bool = True
    quantised_cache: bool = False
    generation: Generation = Generation.B11500
    on_card: bool = True


def buffer_bytes(
    layers: tuple[Layer, ...], *, embedding: int, vocabulary: int, batch: Batch
) -> int:
    """Return the compute buffer of a decoder.

    `embedding` and `vocabulary` are the width of a token and the number of tokens.
    """
    building = _Building(batch, embedding)
    flow = building.embedded()
    kept = _representative(layers)
    for number, layer in enumerate(kept):
        flow = building.layer(flow, layer, last=number == len(kept) - 1)
    normed = building.normed(flow, embedding, batch.outputs)
    building.graph.expand(building.rows(vocabulary, normed, tokens=batch.outputs))
    return building.graph.peak_bytes(alignment=ALIGNMENT if batch.on_card else CPU_ALIGNMENT)


_RUN = 2
"""Equal layers in a row that are enough: the third needs what the second did."""


@lru_cache(maxsize=64)
def _representative(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return layers enough: each kind once after each other that it follows, and the last."""
    kept: list[Layer] = []
    seen: set[tuple[Layer, ...]] = set()
    for number, layer in enumerate(layers):
        turn = layers[max(0, number - _RUN + 1) : number + 1]
        if turn not in seen:
            seen.add(turn)
            kept.append(layer)
    return (*kept, layers[-1])


class _Building:
    """Builds one graph in the order in which llama.cpp does."""

    def __init__(self, batch: Batch, embedding: int) -> None:
        self.graph = Graph()
        self._batch = batch
        self._embedding = embedding
        self._tokens = batch.tokens
        self._newer = batch.generation in (Generation.B10900, Generation.B11500)
        self._rotated = batch.quantised_cache and self._newer
        self._by_rows = batch.generation is not Generation.B2500
        self._positions = Tensor(batch.tokens * I32)
        self._output_rows = Tensor(batch.outputs * I32)
        self._caches: dict[bool, _Cache] = {}

    def embedded(self) -> Tensor:
        """Return the rows of the batch's tokens."""
        embedded = self._looked_up()
        self.graph.expand(embedded)
        if self._batch.generation is Generation.B11500:
            self._mixed()
        return embedded

    def _looked_up(self) -> Tensor:
        size = self._embedding * self._tokens * F32
        layout = _layout(self._embedding, self._tokens)
        sources = () if self._batch.on_card else (Tensor(self._tokens * I32),)
        return Tensor(size, sources, layout=layout)

    def _mixed(self) -> None:
        """Add the path of batches that mix tokens and embeddings; its result is never given up."""
        if not self._batch.on_card:  # embeddings alone, which no card reads in a batch of tokens
            self.graph.expand(Tensor(self._embedding * self._tokens * F32))
        looked_up = self._looked_up()
        given = self.rows(self._embedding, Tensor(self._embedding * self._tokens * F32))
        slots = Tensor(self._tokens * I64)
        for tensor in (looked_up, given):
            self.graph.expand(tensor)
        self.graph.expand(Tensor(0, (looked_up, slots, given), whole=given))

    def layer(self, flow: Tensor, layer: Layer, *, last: bool) -> Tensor:
        """Return what a layer makes of what flows into it."""
        attended = self._attention(flow, layer)
        tokens = self._tokens
        if last:
            tokens = self._batch.outputs
            attended = self.rows(self._embedding, attended, self._output_rows, tokens=tokens)
            flow = self.rows(self._embedding, flow, self._output_rows, tokens=tokens)
        middle = self.rows(self._embedding, attended, flow, tokens=tokens, in_place=True)
        normed = self.normed(middle, self._embedding, tokens)
        if layer.experts:
            made = self._experts(normed, layer, tokens)
        else:
            made = self._feed_forward(normed, layer.feed_forward, layer, tokens)
        return self.rows(self._embedding, made, middle, tokens=tokens, in_place=True)

    def _attention(self, flow: Tensor, layer: Layer) -> Tensor:
        cache = self._cache(layer)
        query, key, value = self._projected(self.normed(flow, self._embedding), layer)
        if self._rotated:
            query = _view(self.rows(layer.query, cache.key_rotation, _view(query)))
            key = _view(self.rows(layer.key, cache.key_rotation, _view(key)))
            value = _view(self.rows(layer.value, cache.value_rotation, _view(value)))
        order = (query, key, value) if cache.windowed_model else (query, value, key)
        for tensor in order:
            self.graph.expand(tensor)
        for tensor, numbers in ((key, cache.key_rows), (value, cache.value_rows)):
            sources = (tensor, numbers) if self._by_rows else (tensor,)
            self.graph.expand(Tensor(0, sources, whole=Tensor(0)))
        attended = self._attended(_view(query), layer, cache)
        self.graph.expand(attended)
        if self._rotated:
            attended = _view(self.rows(layer.query, cache.value_rotation, attended))
        return self.rows(self._embedding, attended)

    def _projected(self, normed: Tensor, layer: Layer) -> tuple[Tensor, Tensor, Tensor]:
        if layer.fused_attention:
            both = self.rows(layer.query + layer.key + layer.value, normed)
            query, key, value = _view(both), _view(both), _view(both)
        else:
            query = _view(self.rows(layer.query, normed))
            key = _view(self.rows(layer.key, normed))
            value = _view(self.rows(layer.value, normed))
        turned = self.rows(layer.query, query, self._positions, in_place=True)
        return turned, self.rows(layer.key, key, self._positions, in_place=True), value

    def _attended(self, query: Tensor, layer: Layer, cache: "_Cache") -> Tensor:
        values = layer.heads * layer.value_length
        if self._batch.flash_attention:
            return _view(self.rows(values, query, cache.mask))
        scores = self.rows(cache.cells * layer.heads, query)
        weights = self.rows(cache.cells * layer.heads, scores, cache.mask, in_place=True)
        return self.rows(values, _view(self.rows(values, weights)))

    def _feed_forward(self, normed: Tensor, width: int, layer: Layer, tokens: int) -> Tensor:
        if layer.fused_gate:
            both = self.rows(2 * width, normed, tokens=tokens)
            if self._by_rows:
                gated = self.rows(width, both, tokens=tokens)
            else:
                halves = [self.rows(width, _view(both), tokens=tokens) for _ in range(2)]
                active = self.rows(width, halves[0], tokens=tokens, in_place=True)
                gated = self.rows(width, active, halves[1], tokens=tokens, in_place=True)
        else:
            gated = self._gated(width, (normed,), tokens)
        return self.rows(self._embedding, gated, tokens=tokens)

    def _gated(self, width: int, sources: tuple[Tensor, ...], tokens: int) -> Tensor:
        up = self.rows(width, *sources, tokens=tokens)
        gate = self.rows(width, *sources, tokens=tokens)
        if self._by_rows:
            return self.rows(width, gate, up, tokens=tokens)
        active = self.rows(width, gate, tokens=tokens, in_place=True)
        return self.rows(width, active, up, tokens=tokens, in_place=True)

    def _experts(self, normed: Tensor, layer: Layer, tokens: int) -> Tensor:
        used = layer.experts_used
        logits = self.rows(layer.experts, normed, tokens=tokens)
        chosen = _view(Tensor(layer.experts * tokens * I32, (logits,)))
        weights = self.rows(used, _view(logits), chosen, tokens=tokens)
        self.graph.expand(weights)
        gated = self._gated(layer.feed_forward * used, (_view(normed), chosen), tokens)
        made = self.rows(self._embedding * used, gated, chosen, tokens=tokens)
        made = self.rows(self._embedding * used, made, weights, tokens=tokens, in_place=True)
        views = [_view(made) for _ in range(used)]
        for view in views:
            self.graph.expand(view)
        total = views[0]
        for view in views[1:]:
            total = self.rows(self._embedding, total, view, tokens=tokens, in_place=True)
            self.graph.expand(total)
        if not layer.shared_feed_forward:
            return total
        shared = self._feed_forward(normed, layer.shared_feed_forward, layer, tokens)
        return self.rows(self._embedding, total, shared, tokens=tokens, in_place=True)

    def _cache(self, layer: Layer) -> "_Cache":
        windowed = layer.windowed and bool(self._batch.window_cells)
        if windowed not in self._caches:
            self._caches[windowed] = self._new_cache(layer, windowed=windowed)
        return self._caches[windowed]

    def _new_cache(self, layer: Layer, *, windowed: bool) -> "_Cache":
        batch = self._batch
        cells = batch.window_cells if windowed else batch.cells
        flash = batch.flash_attention
        mask = Tensor(cells * self._tokens * (F16 if flash and self._newer else F32))
        if flash and not self._newer:
            mask = Tensor(cells * self._tokens * F16, (mask,))
        turned = 1 if flash else layer.value
        return _Cache(
            cells=cells,
            windowed_model=bool(batch.window_cells),
            mask=mask,
            key_rows=Tensor(self._tokens * I64),
            value_rows=Tensor(self._tokens * turned * I64),
            key_rotation=Tensor(_rotation(layer.key_length)),
            value_rotation=Tensor(_VALUE_ROTATION**2 * F32),
        )

    def normed(self, flow: Tensor, width: int, tokens: int | None = None) -> Tensor:
        """Return a norm and its weights, each in place where nobody else reads."""
        bare = self.rows(width, flow, tokens=tokens, in_place=True)
        return self.rows(width, bare, tokens=tokens, in_place=True)

    def rows(
        self, width: int, *sources: Tensor, tokens: int | None = None, in_place: bool = False
    ) -> Tensor:
        """Return a row of `width` numbers for each token."""
        count = self._tokens if tokens is None else tokens
        layout = _layout(width, count)
        return Tensor(width * count * F32, sources, in_place=in_place, layout=layout)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cache:
    """What a batch reads of one cache."""

    cells: int
    windowed_model: bool
    """Whether the model has layers with a window; its builder then takes another order."""
    mask: Tensor
    key_rows: Tensor
    value_rows: Tensor
    key_rotation: Tensor
    value_rotation: Tensor


_VALUE_ROTATION = 64


def _rotation(length: int) -> int:
    """Return the bytes of the matrix that rotates a key: the largest power of two in its length."""
    return (length & -length) ** 2 * F32


def _layout(width: int, tokens: int) -> tuple[int, int]:
    return width, tokens


def _view(tensor: Tensor) -> Tensor:
    return Tensor(0, (tensor,), whole=tensor.whole or tensor)
