"""A PDF opened by PDFium."""

import math
import re
import threading
from collections.abc import Iterator
from ctypes import c_double, c_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.reading.base import UnreadableError
from tools.reading.layout import Line, Sheet

POINTS_PER_INCH = 72
LARGEST_PIXELS = 8_000_000
"""Of a rendered page: larger sheets are rendered coarser."""

COLUMN_GAP = 1.2
"""Widest space within a line of prose, as a multiple of the size of the type."""

_PIECES = 40
"""Pieces of a line that are looked at for gaps: some programs set each letter on its own."""

# PDFium must not be entered by two threads at once, not even for two documents.
_PDFIUM = threading.Lock()

_CATALOG = re.compile(rb"(\d+) 0 obj\s*<<[^>]{0,500}?/Type\s*/Catalog")
_UNSEEN = re.compile("[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]+")
_FIXED_PITCH = 1
"""Flag of a font descriptor whose letters are equally wide."""


class Book:
    """A PDF document. All its methods block; any thread may call them."""

    def __init__(self, data: bytes, name: str) -> None:
        """Open a document. Raises `UnreadableError` with the reason and what to do."""
        with _PDFIUM:
            document, self.flaws = _opened(data, name)
            self.pages = len(document)
            self.title = _UNSEEN.sub(" ", document.get_metadata_value("Title")).strip()
        self._document = document
        self._closed = False

    def close(self) -> None:
        """Let the document go."""
        with _PDFIUM:
            if not self._closed:
                self._closed = True
                self._document.close()

    def sheet(self, number: int) -> Sheet | None:
        """Return the lines of a page, None where the page is broken."""
        import pypdfium2

        with _PDFIUM:
            page = self._page(number)
            if page is None:
                return None
            try:
                text = page.get_textpage()
                lines = tuple(_lines(text))
                text.close()
            except pypdfium2.PdfiumError:
                return None
            finally:
                height = page.get_height()
                page.close()
        return Sheet(number=number, height=height, lines=lines)

    def image(self, number: int, dpi: int) -> NDArray[np.uint8] | None:
        """Return a page as an RGB image, None for one with nothing drawn on it."""
        import pypdfium2

        raw: Any = pypdfium2.raw
        with _PDFIUM:
            page = self._page(number)
            if page is None:
                return None
            try:
                if not raw.FPDFPage_CountObjects(page):
                    return None
                width, height = page.get_size()
                scale = min(
                    dpi / POINTS_PER_INCH, math.sqrt(LARGEST_PIXELS / max(width * height, 1))
                )
                bitmap = page.render(scale=scale, rev_byteorder=True)
                image = np.array(bitmap.to_numpy()[:, :, :3])
                bitmap.close()
            except pypdfium2.PdfiumError:
                return None
            finally:
                page.close()
        return image

    def _page(self, number: int) -> Any:
        """Return a page by its number, None where it is broken."""
        import pypdfium2

        if self._closed:
            return None
        try:
            return self._document[number - 1]
        except pypdfium2.PdfiumError:
            return None


def _opened(data: bytes, name: str) -> tuple[Any, tuple[str, ...]]:
    """Return a document and what is wrong with it."""
    import pypdfium2

    library: Any = pypdfium2
    try:
        return library.PdfDocument(data), ()
    except pypdfium2.PdfiumError as error:
        if error.err_code == library.raw.FPDF_ERR_PASSWORD:
            raise UnreadableError(
                f"{name} is protected by a password. Save a copy without one in a PDF viewer and "
                "give that instead."
            ) from error
    try:
        mended = library.PdfDocument(_mended(data))
    except pypdfium2.PdfiumError as error:
        raise UnreadableError(
            f"{name} is a broken PDF: no page of it can be read. Fetch or save it anew."
        ) from error
    return mended, ("it is damaged; what could be rebuilt of it was read",)


def _mended(data: bytes) -> bytes:
    """Give a file that was cut off the trailer that PDFium needs to look for its objects."""
    catalog = _CATALOG.search(data)
    number = b"1" if catalog is None else catalog.group(1)
    return data + b"\ntrailer<</Root " + number + b" 0 R>>\n"


def _lines(text: Any) -> Iterator[Line]:
    """Yield the lines of a text page that hold anything."""
    from pypdfium2 import raw

    offset = 0
    for content in text.get_text_range().split("\r\n"):
        held = " ".join(_UNSEEN.sub(_gone, content).split())
        if held:
            yield _line(raw, text, held, offset, len(content))
        offset += len(content) + 2


def _gone(match: re.Match[str]) -> str:
    # U+FFFE stands where a word was divided at the end of a line: it is one word again.
    return "" if "\ufffe" in match.group() else " "


def _line(raw: Any, text: Any, content: str, offset: int, length: int) -> Line:
    """Measure a line by its first, middle and last characters."""
    first, middle, last = (
        raw.FPDFText_GetCharIndexFromTextIndex(text, offset + at)
        for at in (0, length // 2, length - 1)
    )
    x, y = c_double(), c_double()
    raw.FPDFText_GetCharOrigin(text, first, x, y)
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text, last, box)
    matrix = raw.FS_MATRIX(1, 0, 0, 1, 0, 0)
    raw.FPDFText_GetMatrix(text, middle, matrix)
    flags = c_int()
    raw.FPDFText_GetFontInfo(text, middle, None, 0, flags)
    size = raw.FPDFText_GetFontSize(text, middle) * math.hypot(matrix.c, matrix.d)
    gap = _widest_gap(raw, text, first, last - first + 1)
    return Line(
        text=content,
        left=x.value,
        right=box.right,
        baseline=y.value,
        size=size,
        fixed=bool(flags.value & _FIXED_PITCH),
        tabular=gap > COLUMN_GAP * size,
    )


def _widest_gap(raw: Any, text: Any, first: int, count: int) -> float:
    """Return the widest space between two pieces of a line, in points."""
    pieces = raw.FPDFText_CountRects(text, first, count)
    left, top, right, bottom = (c_double() for _ in range(4))
    widest, end = 0.0, math.inf
    for index in range(min(pieces, _PIECES) if pieces > 1 else 0):
        raw.FPDFText_GetRect(text, index, left, top, right, bottom)
        widest, end = max(widest, left.value - end), right.value
    return widest
