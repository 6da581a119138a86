"""The two papers of the pack, typed line by line: an invoice and a delivery note."""

from deploy.demo.scan import Stroke, Words

BOLD = "Helvetica-Bold"
TYPED = "Courier"

INVOICE_SIZE_MM = (210, 250)
INVOICE_ROWS = (
    ("1", "Seal kit of the pump SK-40", "2", "18.50", "37.00"),
    ("2", "Filter insert FI-40, 0.2 mm", "3", "24.00", "72.00"),
    ("3", "Pressure sensor PS-3", "1", "47.90", "47.90"),
    ("4", "Packing and freight", "1", "9.20", "9.20"),
)
INVOICE_COLUMNS_MM = (20, 36, 128, 158, 190)

NOTE_SIZE_MM = (148, 150)
NOTE_LINES = (
    "CARVER PUMP SUPPLIES",
    "Dock Street 5, Wexham",
    "",
    "DELIVERY NOTE No. 2291",
    "Date: 27 February 2026",
    "",
    "To: House Association, 12 Mill Lane",
    "    Attn. Mr J. Brandt, caretaker",
    "",
    "1 pc   Motor, complete, M-40",
    "1 pc   Set of four mounting bolts",
    "",
    "Number of parcels: 2",
    "Total weight of the delivery: 38.5 kg",
    "",
    "Left in the garage, nobody in.",
    "Driver:",
)


def invoice() -> tuple[Words | Stroke, ...]:
    """Return the invoice for spare parts: its number, dates and amount stand nowhere else."""
    head = (
        Words(x_mm=20, y_mm=24, words="Carver Pump Supplies", font=BOLD, size=20),
        Words(x_mm=20, y_mm=31, words="Dock Street 5, Wexham", size=10),
        Stroke(points_mm=((20, 35), (190, 35)), width=1.5),
        Words(x_mm=20, y_mm=50, words="House Association"),
        Words(x_mm=20, y_mm=56, words="12 Mill Lane"),
        Words(x_mm=20, y_mm=62, words="Wexham"),
        Words(x_mm=120, y_mm=50, words="Invoice number: 2026-0187"),
        Words(x_mm=120, y_mm=56, words="Invoice date: 9 February 2026"),
        Words(x_mm=120, y_mm=62, words="Delivery date: 5 February 2026"),
        Words(x_mm=20, y_mm=84, words="Invoice", font=BOLD, size=18),
    )
    titles = ("No.", "Article", "Pieces", "Price EUR", "Sum EUR")
    body = [mark for n, row in enumerate((titles, *INVOICE_ROWS)) for mark in _row(row, 98 + 9 * n)]
    foot = (
        Words(x_mm=190, y_mm=146, words="Net amount: EUR 166.10", align="right"),
        Words(x_mm=190, y_mm=154, words="VAT 20 %: EUR 33.22", align="right"),
        Stroke(points_mm=((118, 157.5), (190, 157.5))),
        Words(
            x_mm=190, y_mm=165, words="Total amount: EUR 199.32", font=BOLD, size=13, align="right"
        ),
        Stroke(points_mm=((118, 168), (190, 168)), width=1.5),
        Words(x_mm=20, y_mm=188, words="Payable within thirty days without deduction."),
        Words(x_mm=20, y_mm=195, words="Goods remain our property until they are paid for."),
        Stroke(points_mm=((20, 226), (190, 226)), width=0.5),
        Words(x_mm=20, y_mm=232, words="Carver Pump Supplies, Wexham, register 40 118", size=9),
    )
    return (*head, *body, *foot)


def _row(cells: tuple[str, ...], y_mm: float) -> tuple[Words | Stroke, ...]:
    font = BOLD if cells[0] == "No." else "Helvetica"
    words = tuple(
        Words(x_mm=x, y_mm=y_mm, words=cell, font=font, align="left" if n < 2 else "right")
        for n, (x, cell) in enumerate(zip(INVOICE_COLUMNS_MM, cells, strict=True))
    )
    return (*words, Stroke(points_mm=((20, y_mm + 3), (190, y_mm + 3)), width=0.4))


def delivery_note() -> tuple[Words | Stroke, ...]:
    """Return the typed delivery note with a driver's scrawl: its weight stands nowhere else."""
    lines = [
        Words(x_mm=14, y_mm=18 + 7 * n, words=line, font=TYPED, size=12)
        for n, line in enumerate(NOTE_LINES)
    ]
    scrawl = (
        (40, 131),
        (44, 123),
        (47, 132),
        (51, 126),
        (53, 131),
        (57, 127),
        (60, 132),
        (70, 128),
    )
    frame = ((7, 7), (141, 7), (141, 143), (7, 143), (7, 7))
    return (*lines, Stroke(points_mm=scrawl, width=1.6), Stroke(points_mm=frame))
