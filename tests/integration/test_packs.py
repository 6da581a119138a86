"""The packs hold what their expected.json promises, read by the libraries alone.

Nothing of cortical runs here: where an acceptance test fails and these pass, the engine is wrong.
"""

import json
import re
import wave
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "deploy/demo"
PACKS = {"demo": DEMO, "pack2": ROOT / "tests/data/pack2"}
Key = tuple[str, int | str | None]
"""Source within its pack, and page, line or part."""


def questions(pack: Path) -> list[dict[str, Any]]:
    expected = json.loads((pack / "expected.json").read_text(encoding="utf-8"))
    return [*expected["spoken"], *expected["typed"]]


@cache
def recogniser() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "error"})


def seen(data: bytes) -> str:
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(data)) as picture:
        pixels = np.asarray(picture.convert("RGB"))[..., ::-1]
    return "\n".join(recogniser()(pixels).txts)


def heard(data: bytes) -> str:
    from pocketsphinx import Decoder  # type: ignore[attr-defined] # not listed as exported

    with wave.open(BytesIO(data)) as recording:
        assert recording.getparams()[:3] == (1, 2, 16_000)
        frames = recording.readframes(recording.getnframes())
    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(frames, full_utt=True)
    decoder.end_utt()
    return str(decoder.hyp().hypstr)


def mail_texts(data: bytes) -> Iterator[tuple[str | None, str]]:
    for part in message_from_bytes(data, policy=policy.default).walk():
        content: Any = None if part.is_multipart() else part.get_content()
        if part.get_content_maintype() == "image":
            yield part.get_filename(), seen(content)
        elif part.get_content_maintype() == "audio":
            yield part.get_filename(), heard(content)
        elif part.get_content_type() == "text/plain":
            yield None, content


def texts(path: Path) -> Iterator[tuple[int | str | None, str]]:
    data = path.read_bytes()
    match path.suffix:
        case ".pdf":
            from pypdfium2 import PdfDocument

            pages = PdfDocument(data)  # type: ignore[no-untyped-call] # has no annotations
            for number, page in enumerate(pages, start=1):
                yield number, page.get_textpage().get_text_range()
        case ".png":
            yield None, seen(data)
        case ".eml":
            yield from mail_texts(data)
        case ".md":
            lines = data.decode().splitlines()
            yield from enumerate(
                (f"{line}\n{after}" for line, after in zip(lines, [*lines[1:], ""], strict=True)), 1
            )


@cache
def contents(pack: Path) -> dict[Key, str]:
    folder = pack / "pack" if pack == DEMO else pack
    files = [path for path in folder.rglob("*") if path.suffix in {".pdf", ".png", ".eml", ".md"}]
    return {
        (path.relative_to(pack).as_posix(), place): text
        for path in files
        for place, text in texts(path)
    }


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_every_fact_stands_where_it_is_expected_and_in_no_other_source(pack: Path) -> None:
    answers = [question["answer"] for question in questions(pack) if question["answer"]]
    cited = [answer for answer in answers if answer["source"]]
    assert len(cited) >= 10
    for answer in cited:
        place = answer.get("page", answer.get("line", answer.get("part")))
        found = {key for key, text in contents(pack).items() if re.search(answer["quote"], text)}
        assert (answer["source"], place) in found, answer
        if "line" in answer:
            assert {source for source, _ in found} == {answer["source"]}, answer
        else:
            assert len(found) == 1, (answer, found)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_some_questions_have_no_answer(pack: Path) -> None:
    assert sum(question["answer"] is None for question in questions(pack)) >= 2


def test_the_recogniser_hears_the_questions_as_written_down(
    amount: Callable[[int, int], int],
) -> None:
    spoken = [question for question in questions(DEMO) if "recording" in question]
    assert len(spoken) == 8
    for question in spoken[: amount(3, 8)]:
        assert heard((DEMO / question["recording"]).read_bytes()) == question["heard"]


def test_the_packs_stay_small() -> None:
    for folder, limit in ((DEMO, 3_000_000), (PACKS["pack2"], 1_500_000)):
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < limit
