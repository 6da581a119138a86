"""Windows with something in them."""

from agent.bench.screen.pen import MENUS, WORDS, Drawn, Layer, Pen, at
from memory.places import Box
from tools.senses.screen import Kind

_DIALOG_HEIGHT = 240


def window(pen: Pen, box: Box) -> Layer:
    """Draw a window with something in it."""
    look, random = pen.look, pen.random
    layer = pen.layer = Layer(box)
    if look.shadow:
        pen.shadow(box)
    pen.plate(box, look.window, border=look.border, radius=look.radius)
    bar = pen.line_height + random.randint(10, 18)
    title = " ".join(random.sample(WORDS, random.randint(1, 3))).capitalize()
    written = pen.title_bar(box, bar, title)
    layer.elements.append(Drawn(kind=Kind.WINDOW, box=box, text=title, written=written))
    inner = Box(
        left=box.left + max(look.border, 1),
        top=box.top + bar,
        right=box.right - max(look.border, 1),
        bottom=box.bottom - max(look.border, look.radius, 1),
    )
    if box.bottom - box.top < _DIALOG_HEIGHT:
        _dialog(pen, inner)
    else:
        random.choice((_form, _browser, _cards, _form))(pen, inner)
    return layer


def _dialog(pen: Pen, inner: Box) -> None:
    top = int(inner.top) + 14
    pen.text(int(inner.left) + 20, top, pen.sentence(4))
    pen.text(int(inner.left) + 20, top + pen.line_height + 6, pen.sentence(5))
    x = int(inner.right) - 14
    for number in range(pen.random.choice((1, 2, 2, 3))):
        x -= pen.button(
            x, int(inner.bottom) - pen.line_height - 22, from_right=True, first=not number
        )
        x -= 10


def _form(pen: Pen, inner: Box) -> None:
    if pen.random.random() < 0.6:
        inner = _menu(pen, inner)
    left, top = int(inner.left) + 20, int(inner.top) + 14
    label = int(pen.width("manual language")) + 14
    while top + 3 * pen.line_height + 40 < inner.bottom:
        kind = pen.random.choice(("field", "field", "check", "text", "choice"))
        if kind == "field":
            pen.text(left, top + 7, pen.sentence(2) + ":")
            pen.field(left + label, top, min(int(inner.right) - 24 - left - label, 300))
        elif kind == "choice":
            pen.text(left, top + 7, pen.sentence(1) + ":")
            pen.field(left + label, top, 170, choice=True)
        elif kind == "check":
            pen.check(left, top + 5)
        else:
            pen.text(left, top + 5, pen.sentence(5))
        top += pen.line_height + 24
    x = int(inner.right) - 20
    for number in range(pen.random.choice((1, 2, 3))):
        x -= pen.button(
            x, int(inner.bottom) - pen.line_height - 24, from_right=True, first=not number
        )
        x -= 12


def _browser(pen: Pen, inner: Box) -> None:
    """Draw a bar of tools, a list at the side and text beside it."""
    look, random = pen.look, pen.random
    bar = Box(left=inner.left, top=inner.top, right=inner.right, bottom=inner.top + 40)
    pen.plate(bar, look.panel, border=0, radius=0)
    pen.layer.elements.append(Drawn(kind=Kind.PANEL, box=bar))
    for number in range(random.randint(3, 5)):
        pen.glyph(int(bar.left) + 14 + 36 * number, int(bar.top) + 11, number)
    pen.field(int(bar.right) - 214, int(bar.top) + (40 - pen.line_height - 10) // 2, 200)
    side = Box(left=inner.left, top=bar.bottom + 1, right=inner.left + 170, bottom=inner.bottom)
    pen.plate(side, look.panel, border=0, radius=0)
    pen.layer.elements.append(Drawn(kind=Kind.PANEL, box=side))
    pen.rule(inner.left, inner.right, bar.bottom)
    top = int(side.top) + 12
    while top + pen.line_height + 8 < side.bottom:
        pen.text(int(side.left) + 16, top, pen.sentence(1))
        top += pen.line_height + 10
    top = int(bar.bottom) + 20
    while top + 2 * pen.line_height + 40 < inner.bottom:
        pen.text(int(side.right) + 24, top, pen.sentence(4))
        top += pen.line_height + random.choice((6, 6, 18))
    pen.button(int(side.right) + 24, int(inner.bottom) - pen.line_height - 24, first=True)


def _cards(pen: Pen, inner: Box) -> None:
    """Draw cards in rows, each with a heading, text and a button."""
    look = pen.look
    wide, high = 210, pen.line_height * 2 + 92
    for top in range(int(inner.top) + 16, int(inner.bottom) - high - 8, high + 18):
        for left in range(int(inner.left) + 16, int(inner.right) - wide - 8, wide + 18):
            card = at(left, top, wide, high)
            pen.plate(card, look.panel, border=min(look.border, 1), radius=look.radius)
            pen.layer.elements.append(Drawn(kind=Kind.PANEL, box=card))
            pen.text(left + 14, top + 12, pen.sentence(2))
            pen.text(left + 14, top + 18 + pen.line_height, pen.sentence(2))
            pen.button(left + 14, top + high - pen.line_height - 24, first=True)


def _menu(pen: Pen, inner: Box) -> Box:
    x = int(inner.left) + 12
    for name in MENUS[: pen.random.randint(3, 6)]:
        x = int(pen.text(x, int(inner.top) + 6, name).right) + 24
        if x > inner.right - 80:
            break
    return Box(
        left=inner.left,
        top=inner.top + pen.line_height + 12,
        right=inner.right,
        bottom=inner.bottom,
    )
