"""Typeset a booklet as a PDF with a real text layer, out of a few marks of Markdown.

Only the standard fonts of PDF are used, so no font is embedded, and reportlab's `invariant` mode
leaves out the moment of writing: the same words give the same bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import Any

from reportlab.lib import colors, pagesizes
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    ListFlowable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

MM = 72 / 25.4
"""PDF points in a millimetre."""

INK, ACCENT, PALE, RULE = map(colors.HexColor, ("#1d2b36", "#1f5f7a", "#e8f0f3", "#b4c4cc"))
BODY = ParagraphStyle(
    "body", fontName="Helvetica", fontSize=11.5, leading=16.5, spaceAfter=7, textColor=INK
)
BOLD = ParagraphStyle("bold", parent=BODY, fontName="Helvetica-Bold")
CELL = ParagraphStyle("cell", parent=BODY, fontSize=10.5, leading=14, spaceAfter=0)
HEAD = ParagraphStyle("head", parent=CELL, fontName="Helvetica-Bold", textColor=colors.white)
TITLE = ParagraphStyle("title", parent=BOLD, fontSize=30, leading=36, textColor=ACCENT)
SUBTITLE = ParagraphStyle("subtitle", parent=BODY, fontSize=15, leading=20)
STYLES = {
    "#": ParagraphStyle(
        "h1", parent=BOLD, fontSize=19, leading=24, spaceBefore=16, textColor=ACCENT, keepWithNext=1
    ),
    "##": ParagraphStyle(
        "h2", parent=BOLD, fontSize=13, leading=18, spaceBefore=10, spaceAfter=4, keepWithNext=1
    ),
    "^": ParagraphStyle("caption", parent=BODY, fontName="Helvetica-Oblique", fontSize=9.5),
    ">": ParagraphStyle(
        "note", parent=BODY, backColor=PALE, borderPadding=8, leftIndent=8, rightIndent=8,
        spaceBefore=12, spaceAfter=16,
    ),
}  # fmt: skip
GRID = (
    ("BACKGROUND", (0, 0), (-1, 0), ACCENT),
    ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, PALE]),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
)
MARGIN = 22 * MM
WIDTH, HEIGHT = pagesizes.A4


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover:
    """What stands on the first page, in the margins and in the properties of the file."""

    title: str
    subtitle: str
    publisher: str
    edition: str
    lines: tuple[str, ...]
    """Small print at the foot of the cover."""

    @property
    def heading(self) -> str:
        """Return what names the booklet."""
        return f"{self.title}: {self.subtitle}"


def booklet(source: str, cover: Cover, figure: Any = None) -> bytes:
    """Set the source on A4 pages behind a cover.

    The marks: `#` and `##` headings, `-` and `1.` lists, `|` tables whose first row is the head,
    `>` a warning, `^` a caption, `---` a new page; any other line is a paragraph.
    """
    front = [Spacer(1, 60), Paragraph(cover.title, TITLE), Paragraph(cover.subtitle, SUBTITLE)]
    front += [Spacer(1, 40), *([figure] if figure else []), Spacer(1, 60)]
    front += [Paragraph(line, BODY) for line in (cover.edition, *cover.lines)]
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=pagesizes.A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=25 * MM,
        bottomMargin=MARGIN,
        title=cover.heading,
        author=cover.publisher,
        invariant=1,
    )

    def first(canvas: Any, _: Any) -> None:
        canvas.setFillColor(ACCENT)
        canvas.rect(0, HEIGHT - 24 * MM, WIDTH, 24 * MM, stroke=0, fill=1)
        canvas.rect(0, 0, WIDTH, 6 * MM, stroke=0, fill=1)
        canvas.setFillColor(colors.white)
        canvas.setFont("Helvetica-Bold", 12)
        canvas.drawString(MARGIN, HEIGHT - 14 * MM, cover.publisher)

    def later(canvas: Any, page: Any) -> None:
        canvas.setStrokeColor(RULE)
        canvas.setFillColor(INK)
        canvas.setFont("Helvetica", 8)
        canvas.line(MARGIN, HEIGHT - 18 * MM, WIDTH - MARGIN, HEIGHT - 18 * MM)
        canvas.drawString(MARGIN, HEIGHT - 16 * MM, cover.heading)
        canvas.drawString(MARGIN, 12 * MM, f"{cover.publisher} \u00b7 {cover.edition}")
        canvas.drawRightString(WIDTH - MARGIN, 12 * MM, f"Page {page.page}")

    story = [*front, PageBreak(), *_story(source)]
    document.build(story, onFirstPage=first, onLaterPages=later)
    return target.getvalue()


def _story(source: str) -> Iterator[Any]:
    lines = (line.partition(" ") for line in source.splitlines() if line.strip())
    for mark, group in groupby(lines, key=lambda parts: parts[0]):
        words = [rest for _, _, rest in group] if mark in {"-", "1.", "|"} else []
        if mark == "|":
            yield _table([[cell.strip() for cell in row.strip("| ").split("|")] for row in words])
        elif words:
            yield ListFlowable(
                [Paragraph(item, BODY) for item in words],
                bulletType="1" if mark == "1." else "bullet",
                start=None if mark == "1." else "\u2022",
                bulletFontSize=11.5,
                leftIndent=18,
            )
        elif mark == "---":
            yield PageBreak()
        else:
            for head, space, rest in group:
                style = STYLES.get(head)
                yield Paragraph(rest, style) if style else Paragraph(head + space + rest, BODY)


def _table(rows: Sequence[Sequence[str]]) -> Any:
    """Set a table as wide as the page; where room is short, the widest column gives way."""
    widths = [
        max(stringWidth(cell, "Helvetica-Bold", CELL.fontSize) for cell in column) + 16
        for column in zip(*rows, strict=True)
    ]
    spare = WIDTH - 2 * MARGIN - 12 - sum(widths)
    if spare < 0:
        widths[widths.index(max(widths))] += spare
    else:
        widths = [width + spare / len(widths) for width in widths]
    cells = [[Paragraph(cell, CELL if n else HEAD) for cell in row] for n, row in enumerate(rows)]
    return Table(cells, widths, style=GRID, hAlign="LEFT", spaceBefore=4, spaceAfter=10)
