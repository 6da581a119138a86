"""Build the second pack, a small library, which only the tests know.

The notes under `pack2/notes` are written by hand; the guide, the notice and the mail are made here.
What it takes and how it stays the same from run to run is told in `deploy/demo/make_pack.py`. Run
from the root of the checkout:

    python -m tests.data.make_pack2
"""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from deploy.demo.booklet import Cover, booklet
from deploy.demo.letter import Enclosure, Letter, mail
from deploy.demo.scan import Scanner, Stroke, Words, scanned
from deploy.demo.speech import spoken

HERE = Path(__file__).parent

VOICE_NOTE = (
    "Hello, this is Martin from the museum. The glass case for your exhibition is ready. Two men "
    "will bring it on Thursday at half past eight. Please keep the side door open for them."
)
COVER = Cover(
    title="Harbour Street Library",
    subtitle="Guide for Readers",
    publisher="Harbour Street Library",
    edition="Seventh edition, autumn 2025",
    lines=("Harbour Street 21, at the old fish market",),
)
SCANNER = Scanner(dots_per_inch=120, tilt_degrees=-0.6, paper=(250, 243, 220), seed=418)
NOTICE_SIZE_MM = (148, 190)
BOLD = "Helvetica-Bold"
NOTICE = (
    Stroke(points_mm=((8, 8), (140, 8), (140, 182), (8, 182), (8, 8)), width=2),
    Words(x_mm=18, y_mm=32, words="BOOK SALE", font=BOLD, size=36),
    Words(x_mm=18, y_mm=46, words="in the yard of the library", size=16),
    Stroke(points_mm=((18, 54), (130, 54)), width=1.5),
    Words(x_mm=18, y_mm=70, words="Saturday, 18 April 2026", font=BOLD, size=18),
    Words(x_mm=18, y_mm=80, words="from eleven to four o'clock", size=14),
    Words(x_mm=18, y_mm=100, words="A bag of books costs 3.50", font=BOLD, size=18),
    Words(x_mm=18, y_mm=110, words="Bring your own bag.", size=14),
    Words(x_mm=18, y_mm=128, words="Records and sheet music: 1.00 each", size=14),
    Words(x_mm=18, y_mm=138, words="If it rains we move to the bicycle shed.", size=14),
    Words(x_mm=18, y_mm=164, words="The money goes into a new reading corner", size=12),
    Words(x_mm=18, y_mm=171, words="for the youngest.", size=12),
)


def main() -> None:
    """Write every file that is not written by hand."""
    pack = HERE / "pack2"
    (pack / "mail").mkdir(parents=True, exist_ok=True)
    (pack / "readers-guide.pdf").write_bytes(booklet(_source("readers-guide.md"), COVER))
    (pack / "notice.png").write_bytes(_notice())
    (pack / "mail/glass-case.eml").write_bytes(mail(_letter()))


def _source(name: str) -> str:
    return (HERE / "sources2" / name).read_text(encoding="utf-8")


def _notice() -> bytes:
    target = BytesIO()
    picture = scanned(NOTICE, NOTICE_SIZE_MM, SCANNER)
    few = picture.quantize(32, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(target, "PNG", optimize=True)
    return target.getvalue()


def _letter() -> Letter:
    recording = Enclosure(name="transport.wav", media_type="audio/wav", data=spoken(VOICE_NOTE))
    return Letter(
        sender="Łukasz Nowak <nowak@seafaring-museum.example>",
        recipient="Bücherei Hafenstraße <team@harbour-library.example>",
        subject="Re: Vitrine für die Flaschenschiffe",
        sent_at=datetime(2026, 3, 10, 9, 5, 44, tzinfo=UTC),
        message_id="<20260310090544.91B7F@seafaring-museum.example>",
        answers="<20260303105218.30C55@harbour-library.example>",
        plain=_source("mail.txt"),
        html=_source("mail.html"),
        enclosures=(recording,),
    )


if __name__ == "__main__":
    main()
