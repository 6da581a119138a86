import numpy as np
import pytest

from tools.senses.strips import LINE_HEIGHT, PART_WIDTH, Image, bands, cut, parts, running, shrunk


def line(*words: int, gap: int, letter: int = 12) -> Image:
    """A line of words of so many letters, each a black bar with a little white behind it."""
    columns: list[int] = []
    for count in words:
        columns += ([0] * (letter - 3) + [255] * 3) * count + [255] * gap
    row = np.array(columns, np.uint8)
    strip = np.full((LINE_HEIGHT, len(row), 3), 255, np.uint8)
    strip[10:38] = row[None, :, None]
    return strip


def test_a_short_line_is_one_part_filled_with_grey_to_a_round_width() -> None:
    strip = line(5, 5, gap=15)
    [(part, spaced)] = parts(strip)
    assert part.shape == (LINE_HEIGHT, 160, 3)
    assert np.array_equal(part[:, : strip.shape[1]], strip)
    assert (part[:, strip.shape[1] :] == 127).all()
    assert not spaced


def test_a_long_line_is_parted_between_words_and_nothing_is_lost() -> None:
    strip = line(*([7] * 60), gap=15)
    divided = list(parts(strip))
    assert [spaced for _, spaced in divided] == [False] + [True] * (len(divided) - 1)
    assert all(part.shape[1] <= PART_WIDTH for part, _ in divided)
    black = [np.count_nonzero(part == 0) for part, _ in divided]
    assert sum(black) == np.count_nonzero(strip == 0)
    assert all(count % (7 * 9 * 28 * 3) == 0 for count in black), "a word was cut in two"


def test_a_long_line_without_spaces_is_parted_between_letters() -> None:
    divided = list(parts(line(300, gap=0)))
    assert len(divided) > 1
    assert not any(spaced for _, spaced in divided)
    assert all(np.count_nonzero(part == 0) % (9 * 28 * 3) == 0 for part, _ in divided)


def test_a_line_without_any_blank_is_parted_all_the_same() -> None:
    strip = np.random.default_rng(0).integers(0, 255, (LINE_HEIGHT, 5000, 3), np.uint8)
    assert sum(part.shape[1] for part, _ in parts(strip)) >= 5000


@pytest.mark.parametrize("count", [1, 4, 8])
def test_each_row_belongs_to_one_band_and_lies_well_within_it(count: int) -> None:
    image = np.zeros((1000, 10, 3), np.uint8)
    owned: list[int] = []
    for part, top, first, last in bands(image, count):
        owned += range(first, last)
        assert top <= max(0, first - 64)
        assert top + part.shape[0] >= min(1000, last + 64)
    assert owned == list(range(1000))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1000, 1000), (500, 500)),
        ((300, 200), (300, 200)),
        ((10, 20), (64, 64)),
        ((20, 100_000), (64, 6000)),
    ],
)
def test_an_image_becomes_small_enough_and_large_enough(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    small, scale = shrunk(np.zeros((*shape, 3), np.uint8), 250_000)
    assert small.shape[:2] == expected
    assert scale == max(1.0, max(shape) / max(expected))


def test_a_line_that_runs_down_is_cut_so_that_it_lies() -> None:
    image = np.full((200, 100, 3), 255, np.uint8)
    image[20:180, 40:60] = 0
    image[20:60, 40:60] = (255, 0, 0)
    box = np.array([[40, 20], [60, 20], [60, 180], [40, 180]], np.float32)
    strip = cut(image, running(box))
    assert strip is not None
    assert strip.shape == (LINE_HEIGHT, 384, 3)
    assert strip[24, 10].tolist() == [255, 0, 0]
    assert strip[24, -10].tolist() == [0, 0, 0]


def test_a_speck_and_what_is_outside_the_image_is_no_line() -> None:
    image = np.zeros((50, 50, 3), np.uint8)
    speck = np.array([[5, 5], [5.5, 5], [5.5, 5.5], [5, 5.5]], np.float32)
    assert cut(image, speck) is None
    assert cut(image, speck * 0 + np.array([[60, 60], [90, 60], [90, 80], [60, 80]])) is None
