"""Tensors are laid out by the rules of ggml's allocator."""

from agent.residency.allocation import Graph, Tensor


def peak(*last: Tensor, alignment: int = 1) -> int:
    graph = Graph()
    for tensor in last:
        graph.expand(tensor)
    return graph.peak_bytes(alignment=alignment)


def tensor(size: int, *sources: Tensor, in_place: bool = False) -> Tensor:
    return Tensor(size, sources, in_place=in_place, layout=(size,))


def test_what_was_read_for_the_last_time_makes_room() -> None:
    first = tensor(100)
    assert peak(tensor(50, first)) == 150
    assert peak(tensor(100, tensor(50, tensor(100)))) == 150, "the third lies where the first lay"
    assert peak(tensor(101, tensor(50, tensor(100)))) == 251, "it is too large for that"


def test_an_operation_in_place_takes_over_what_nobody_else_reads() -> None:
    first = tensor(100)
    assert peak(tensor(100, first, in_place=True)) == 100

    shared = tensor(100)
    assert peak(tensor(100, tensor(100, shared, in_place=True), shared)) == 300


def test_another_layout_is_never_taken_over() -> None:
    first = tensor(100)
    other = Tensor(100, (first,), in_place=True, layout=(10, 10))

    assert peak(other) == 200


def test_a_view_holds_what_it_is_a_view_of() -> None:
    first = tensor(100)
    view = Tensor(0, (first,), whole=first)
    between = tensor(10, tensor(10, view))

    assert peak(between) == 110
    held = tensor(100, tensor(10, view), view)
    assert peak(held) == 210


def test_a_view_that_nobody_reads_holds_its_tensor_for_ever() -> None:
    first, source = tensor(100), tensor(10)
    kept = tensor(100, first)
    written = Tensor(0, (source, kept), whole=kept)
    after = tensor(100, tensor(100, tensor(10, tensor(10))))

    assert peak(kept, written, after) > peak(kept, after)


def test_the_tightest_hole_is_taken() -> None:
    large, wall, small, end = tensor(80), tensor(10), tensor(40), tensor(10)
    readers = [tensor(1, large), tensor(1, small)]
    narrow = tensor(30, *readers)
    wide = tensor(70, narrow)
    last = tensor(1, wall, end, wide)

    assert peak(large, wall, small, end, *readers, narrow, wide, last) == 141


def test_sizes_are_rounded_up() -> None:
    assert peak(tensor(1), alignment=128) == 128
    assert peak(tensor(1, tensor(129)), alignment=128) == 256 + 128
