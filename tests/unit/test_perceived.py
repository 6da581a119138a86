"""Pictures and recordings to blocks."""

import numpy as np

from memory.documents import located
from memory.labels import Origin
from memory.places import Box, Place
from tools.chunking import chunks
from tools.reading import picture, recording
from tools.reading.testing import OpenResidency, ScriptedHearing, ScriptedSight, perception
from tools.senses.base import SAMPLE_RATE_HZ, Operation, Recording, Task, Word
from tools.senses.pictures import Picture
from tools.tokens import tokens_bound

SOUND = Recording(samples=np.zeros(SAMPLE_RATE_HZ * 9, dtype=np.float32), declared_s=None)
SHEET = Picture(pixels=np.zeros((400, 600, 3), dtype=np.uint8), width=600, height=400)


async def test_words_of_one_row_are_one_block_with_their_common_box() -> None:
    sight = ScriptedSight(
        ("Invoice 17", 10, 10, 200, 30),
        ("Total", 10, 100, 60, 120),
        ("119,00 €", 400, 102, 480, 121),
        ("  ", 500, 102, 510, 121),
        ("Thank you", 10, 122, 90, 142),
    )
    residency = OpenResidency()
    reading = await picture.read(
        SHEET, "invoice.png", "image/png", perception(sight, None, residency)
    )
    assert [(block.text, block.place) for block in reading.blocks] == [
        ("Invoice 17", Place(box=Box(left=10, top=10, right=200, bottom=30))),
        ("Total 119,00 €", Place(box=Box(left=10, top=100, right=480, bottom=121))),
        ("Thank you", Place(box=Box(left=10, top=122, right=90, bottom=142))),
    ]
    assert reading.label.origins == {Origin.PICTURE}
    assert (reading.title, reading.kind) == ("invoice.png", "picture")
    assert residency.lent == [Operation(task=Task.TEXT, pixels=240_000)]


async def test_the_box_of_each_word_of_a_row_is_found() -> None:
    sight = ScriptedSight(("Total", 10, 100, 60, 120), ("119,00 €", 400, 102, 480, 121))
    reading = await picture.read(SHEET, "invoice.png", "image/png", perception(sight))
    (passage,) = chunks(reading, tokens_bound)
    assert passage.text == "Total 119,00 €"
    assert located(passage, 6, 12).box == Box(left=400, top=102, right=480, bottom=121)
    assert located(passage, 0, 12).box == Box(left=10, top=100, right=480, bottom=121)


async def test_the_seconds_of_each_word_of_a_segment_are_found() -> None:
    said = "the spare key is at the bakery"
    words = tuple(
        Word(text=word, start_s=n * 1.0, end_s=n * 1.0 + 0.9) for n, word in enumerate(said.split())
    )
    hearing = ScriptedHearing((said, 0.0, 6.9))
    hearing.words = words
    reading = await recording.read(SOUND, "note.wav", "audio/wav", perception(None, hearing))
    (passage,) = chunks(reading, tokens_bound)
    start = said.index("bakery")
    assert located(passage, start, start + 6) == Place(start_s=6.0, end_s=6.9)
    assert located(passage, 0, 9) == Place(start_s=0.0, end_s=1.9)
    assert passage.place == Place(start_s=0.0, end_s=6.9)


async def test_words_that_are_not_those_of_the_text_give_no_times_of_their_own() -> None:
    hearing = ScriptedHearing(("it is 9 o'clock", 0.0, 2.0))
    hearing.words = (Word(text="nine", start_s=0.0, end_s=0.5),)
    reading = await recording.read(SOUND, "note.wav", "audio/wav", perception(None, hearing))
    assert reading.blocks[0].spans == ()


async def test_a_picture_without_writing_is_no_error() -> None:
    reading = await picture.read(SHEET, "sky.png", "image/png", perception())
    assert (reading.blocks, reading.flaws) == ((), ())


async def test_boxes_are_those_of_the_file_also_where_it_was_read_smaller() -> None:
    scaled = Picture(pixels=SHEET.pixels, width=1199, height=800, scale=2, flaws=("it ends early",))
    sight = ScriptedSight(("Total", 10, 100, 60, 120))
    reading = await picture.read(scaled, "big.png", "image/png", perception(sight))
    assert reading.blocks[0].place.box == Box(left=20, top=200, right=120, bottom=240)
    assert reading.flaws == ("it ends early",)


async def test_a_picture_too_small_for_writing_is_not_looked_at() -> None:
    sight = ScriptedSight(("ghost", 0, 0, 1, 1))
    pixel = Picture(pixels=np.zeros((1, 1, 3), dtype=np.uint8), width=1, height=1)
    reading = await picture.read(pixel, "pixel.gif", "image/gif", perception(sight))
    assert (reading.blocks, reading.flaws, sight.shown) == ((), (), [])


async def test_segments_keep_their_times() -> None:
    sound = Recording(
        samples=np.zeros(SAMPLE_RATE_HZ * 9, dtype=np.float32),
        declared_s=12.0,
        flaws=("it ends early",),
    )
    residency = OpenResidency()
    hearing = ScriptedHearing((" the key is at the bakery ", 1.234, 4.5), ("", 5.0, 6.0))
    reading = await recording.read(
        sound, "note.wav", "audio/wav", perception(None, hearing, residency)
    )
    assert [(block.text, block.place) for block in reading.blocks] == [
        ("the key is at the bakery", Place(start_s=1.23, end_s=4.5))
    ]
    assert reading.label.origins == {Origin.RECORDING}
    assert reading.flaws == ("it ends early",)
    assert residency.lent == [Operation(task=Task.HEARING, audio_s=9.0, batch=4)]


async def test_silence_is_no_error() -> None:
    sound = Recording(samples=np.zeros(100, dtype=np.float32), declared_s=None)
    reading = await recording.read(sound, "empty.wav", "audio/wav", perception())
    assert reading.blocks == ()
    assert reading.flaws == ("no speech was recognised in it",)
