"""Build the recordings, the pictures, the handbook and the mail of the demo pack.

The notes under `pack/notes` are written by hand; all else in `pack` and `questions` is made here,
from the words in this file, in `papers.py` and in `sources`. Run from the root of the checkout:

    python -m deploy.demo.make_pack

Needed for this, in an environment of its own: reportlab 5.1.0 (PDF), pypdfium2 5.15.2 and Pillow
13.0.0 (pictures), numpy 2.4.6 (noise); and Debian's flite 2.2-5 for the voice. Dates, seeds,
message ids and MIME boundaries are fixed, so that the same versions of these give the same bytes.
"""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from reportlab.graphics import shapes

from deploy.demo.booklet import ACCENT, INK, PALE, Cover, booklet
from deploy.demo.letter import Enclosure, Letter, mail
from deploy.demo.papers import INVOICE_SIZE_MM, NOTE_SIZE_MM, delivery_note, invoice
from deploy.demo.scan import Scanner, scanned
from deploy.demo.speech import spoken

HERE = Path(__file__).parent

QUESTIONS = {
    "water-filter": "How often must the water filter be cleaned?",
    "water-pressure": "What is the highest water pressure of the pump?",
    "invoice-amount": "What was the total amount of the invoice?",
    "spare-key": "Where did the driver leave the spare key?",
    "delivery-weight": "What is the total weight of the delivery?",
    "main-water-supply": "Where can the main water supply be closed?",
    "washing-machine": "How long is the warranty of the washing machine?",
    "ninety-days": "Which day is ninety days after the first of March?",
}
VOICE_NOTE = (
    "Hello, this is Robert, the driver. Nobody opened the door, so I have put the new motor into "
    "the garage, beside the bicycles. I left the spare key at the bakery across the street. They "
    "are open until seven in the evening."
)
COVER = Cover(
    title="RW 40 Rain Water Unit",
    subtitle="Operating and Maintenance Handbook",
    publisher="Aldermoor Pump Works",
    edition="Document RW40-OMH-3, edition 3, January 2024",
    lines=(
        "Aldermoor Pump Works, Quarry Road 18, Aldermoor",
        "Keep this handbook near the unit. Hand it on with the unit.",
    ),
)
INVOICE_SCANNER = Scanner(dots_per_inch=120, tilt_degrees=0.5, paper=(247, 244, 235), seed=187)
NOTE_SCANNER = Scanner(dots_per_inch=130, tilt_degrees=-0.7, paper=(240, 238, 230), seed=2291)
SCHEMATIC_BOXES: tuple[tuple[float, float, float, float, str], ...] = (
    (10, 40, 110, 120, "Storage tank"),
    (180, 40, 90, 60, "Pump"),
    (180, 125, 90, 35, "Control box"),
    (330, 70, 80, 90, "Pressure vessel"),
    (138, 60, 24, 20, ""),
)
"""x, y, width, height in points, and what the box is."""
SCHEMATIC_PIPES = (
    (120, 70, 138, 70),
    (162, 70, 180, 70),
    (270, 70, 300, 70),
    (300, 70, 300, 85),
    (300, 85, 330, 85),
    (410, 85, 455, 85),
    (225, 100, 225, 125),
    (65, 160, 65, 175),
)
SCHEMATIC_WORDS = (
    (150, 46, "Filter"),
    (442, 72, "To the house"),
    (65, 180, "From the rain tank"),
)


def main() -> None:
    """Write every file that is not written by hand."""
    for folder in ("pack/mail", "questions"):
        (HERE / folder).mkdir(parents=True, exist_ok=True)
    (HERE / "pack/handbook.pdf").write_bytes(booklet(_source("handbook.md"), COVER, _schematic()))
    (HERE / "pack/invoice.png").write_bytes(_invoice())
    (HERE / "pack/mail/motor-delivered.eml").write_bytes(mail(_letter()))
    for name, words in QUESTIONS.items():
        (HERE / f"questions/{name}.wav").write_bytes(spoken(words))


def _source(name: str) -> str:
    return (HERE / "sources" / name).read_text(encoding="utf-8")


def _schematic() -> Any:
    """Draw how the parts of the unit hang together."""
    drawing = shapes.Drawing(460, 190)
    for x, y, width, height, _ in SCHEMATIC_BOXES:
        drawing.add(shapes.Rect(x, y, width, height, 4, 4, fillColor=PALE, strokeColor=ACCENT))
    for pipe in SCHEMATIC_PIPES:
        drawing.add(shapes.Line(*pipe, strokeColor=ACCENT, strokeWidth=2))
    names = ((x + wide / 2, y + high / 2 - 3, name) for x, y, wide, high, name in SCHEMATIC_BOXES)
    for x, y, word in (*names, *SCHEMATIC_WORDS):
        drawing.add(shapes.String(x, y, word, textAnchor="middle", fontSize=9, fillColor=INK))
    return drawing


def _invoice() -> bytes:
    target = BytesIO()
    picture = scanned(invoice(), INVOICE_SIZE_MM, INVOICE_SCANNER)
    picture.quantize(32, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        target, "PNG", optimize=True
    )
    return target.getvalue()


def _letter() -> Letter:
    scan = BytesIO()
    scanned(delivery_note(), NOTE_SIZE_MM, NOTE_SCANNER).save(scan, "JPEG", quality=80)
    return Letter(
        sender="Zo\u00eb Carver <zoe.carver@carver-pumps.example>",
        recipient="J\u00fcrgen Brandt <caretaker@mill-lane.example>",
        subject="Re: Motor for the rain water pump \u2013 delivered today",
        sent_at=datetime(2026, 2, 27, 16, 42, 7, tzinfo=UTC),
        message_id="<20260227164207.4D1C2@carver-pumps.example>",
        answers="<20260225081533.77A0E@mill-lane.example>",
        plain=_source("mail.txt"),
        html=_source("mail.html"),
        enclosures=(
            Enclosure(name="voice-note.wav", media_type="audio/wav", data=spoken(VOICE_NOTE)),
            Enclosure(name="delivery-note-2291.jpg", media_type="image/jpeg", data=scan.getvalue()),
        ),
    )


if __name__ == "__main__":
    main()
