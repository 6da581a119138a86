"""Screenshots drawn by chance, with every element in them known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agent.bench.screen.themes import Colour, Theme, font, theme
from memory.places import Box
from tools.senses.screen import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES = ((1024, 768), (1280, 800), (1366, 768), (1440, 900))

_WORDS = (
    "account address archive battery budget calendar camera changes colour contact country current "
    "daily default delete device display document download draft editor enable export family "
    "filter folder format general gallery history home image import inbox invoice keyboard language "
    "last library license list local manual memory message monthly mouse music name network never "
    "notes office options order output page password photo phone picture print privacy profile "
    "project quality recent region report results sample screen search second security select "
    "server settings share size sound source start storage street system table template theme "
    "title total trash update upload user version video volume water weekly window world"
).split()
_ACTIONS = (
    "OK Cancel Apply Save Open Close Delete Print Next Back Search Send Browse... Retry Yes No Help "
    "Install Connect Refresh Upload Reset"
).split()
_MENUS = "File Edit View Insert Format Tools Window Help".split()

_SEEN = 0.7
"""An element of which less is to be seen is neither asked for nor held against a finder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """An element that was drawn."""

    kind: Kind
    box: Box
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Screenshot:
    """A picture, what is in it, and what may or may not be found."""

    seed: int
    pixels: NDArray[np.uint8]
    """Shape (height, width, 3), RGB."""
    elements: tuple[Drawn, ...]
    open: tuple[Box, ...]
    """Where a finder is not judged: elements that are mostly covered, bars of titles."""


@dataclass(slots=True)
class _Layer:
    """A window with its elements."""

    box: Box
    elements: list[Drawn] = field(default_factory=list)
    open: list[Box] = field(default_factory=list)


def screenshot(seed: int) -> Screenshot:
    """Draw the screenshot of a seed; the same one with the same fonts."""
    random = Random(seed)  # noqa: S311 - a picture, not a secret
    look = theme(random)
    width, height = random.choice(SIZES)
    pen = _Pen(_wall(look, width, height, random), look, random)
    layers = [pen.window(box) for box in _places(width, height, random)]
    elements, unjudged = _visible(layers, width, height)
    pixels = np.asarray(pen.image)
    if random.random() < 0.2:
        pixels = _as_jpeg(pixels)
    return Screenshot(seed=seed, pixels=pixels, elements=tuple(elements), open=tuple(unjudged))


def _as_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import io

    from PIL import Image

    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "JPEG", quality=92)
    return np.asarray(Image.open(into))


def _places(width: int, height: int, random: Random) -> Iterator[Box]:
    """Yield where windows stand, from the back to the front; the last may be a small dialog."""
    for number in range(random.choice((1, 1, 2, 2, 3))):
        wide = random.randint(width * 4 // 10, width * 7 // 10)
        high = random.randint(height * 4 // 10, height * 7 // 10)
        if number and random.random() < 0.5:
            wide, high = random.randint(320, 460), random.randint(150, 230)
        left = random.randint(8, width - wide - 8)
        top = random.randint(8, height - high - 8)
        yield _box(left, top, wide, high)


def _box(left: int, top: int, width: int, height: int) -> Box:
    return Box(left=left, top=top, right=left + width, bottom=top + height)


def _visible(layers: list[_Layer], width: int, height: int) -> tuple[list[Drawn], list[Box]]:
    """Return what can be seen, each with the box of what can be seen of it."""
    covered = np.zeros((height, width), bool)
    elements: list[Drawn] = []
    unjudged: list[Box] = []
    for layer in reversed(layers):
        for one in layer.elements:
            left, top, right, bottom = map(
                int, (one.box.left, one.box.top, one.box.right, one.box.bottom)
            )
            seen = ~covered[top:bottom, left:right]
            if seen.mean() < (0.4 if one.kind is Kind.WINDOW else _SEEN):
                unjudged.append(one.box)
                continue
            rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
            box = Box(
                left=left + int(columns[0]),
                top=top + int(rows[0]),
                right=left + int(columns[-1]) + 1,
                bottom=top + int(rows[-1]) + 1,
            )
            elements.append(Drawn(kind=one.kind, box=box, text=one.text))
        unjudged += layer.open
        box = layer.box
        covered[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = True
    return elements, unjudged


def _wall(look: Theme, width: int, height: int, random: Random) -> "Image":
    from PIL import Image, ImageFilter

    one, other = look.wall_colours
    if look.wall == "plain":
        return Image.new("RGB", (width, height), one)
    ramp = np.linspace(0, 1, height)[:, None, None]
    pixels = np.asarray(one) * (1 - ramp) + np.asarray(other) * ramp
    wall = Image.fromarray(np.repeat(pixels, width, axis=1).astype(np.uint8))
    if look.wall == "blobs":
        from PIL import ImageDraw

        draw = ImageDraw.Draw(wall)
        for _ in range(40):
            x, y, r = random.randint(0, width), random.randint(0, height), random.randint(20, 160)
            colour = tuple(random.randint(30, 220) for _ in range(3))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        wall = wall.filter(ImageFilter.GaussianBlur(6))
        noise = np.random.default_rng(random.randint(0, 1 << 30)).normal(0, 6, (height, width, 3))
        wall = Image.fromarray(np.clip(np.asarray(wall) + noise, 0, 255).astype(np.uint8))
    return wall


class _Pen:
    """Draws one screenshot."""

    def __init__(self, image: "Image", look: Theme, random: Random) -> None:
        from PIL import ImageDraw

        self.image = image
        self._draw: Any = ImageDraw.Draw(image)
        self._look = look
        self._random = random
        self._font = font(look.font, look.size)
        probe = self._draw.textbbox((0, 0), "Hxg", font=self._font)
        self._line = int(probe[3] - probe[1]) + 4
        self._layer = _Layer(_box(0, 0, 0, 0))

    def window(self, box: Box) -> _Layer:
        """Draw a window with something in it."""
        look, random = self._look, self._random
        layer = self._layer = _Layer(box)
        if look.shadow:
            self._shadow(box)
        self._plate(box, look.window, border=look.border, radius=look.radius)
        bar = self._line + random.randint(10, 18)
        title = " ".join(random.sample(_WORDS, random.randint(1, 3))).capitalize()
        self._title_bar(box, bar, title)
        layer.elements.append(Drawn(kind=Kind.WINDOW, box=box, text=title))
        inner = Box(
            left=box.left + max(look.border, 1),
            top=box.top + bar,
            right=box.right - max(look.border, 1),
            bottom=box.bottom - max(look.border, look.radius, 1),
        )
        if box.bottom - box.top < 240:
            self._dialog(inner)
        else:
            random.choice((self._form, self._browser, self._cards, self._form))(inner)
        return layer

    def _shadow(self, box: Box) -> None:
        from PIL import Image, ImageDraw, ImageFilter

        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).rectangle(
            (box.left - 2, box.top + 2, box.right + 2, box.bottom + 6), fill=110
        )
        mask = mask.filter(ImageFilter.GaussianBlur(8))
        self.image.paste((0, 0, 0), (0, 0), mask)

    def _plate(
        self, box: Box, fill: Colour, *, border: int, radius: int, gradient: bool = False
    ) -> None:
        corners = (box.left, box.top, box.right - 1, box.bottom - 1)
        self._draw.rounded_rectangle(
            corners, radius, fill=fill, outline=self._look.line if border else None, width=border
        )
        if gradient:
            high = int(box.bottom - box.top) - 2 * max(border, 1)
            for row in range(high):
                shade = 12 - 24 * row // max(high, 1)
                tone = tuple(min(max(one + shade, 0), 255) for one in fill)
                y = box.top + max(border, 1) + row
                inset = max(border, radius, 1)
                self._draw.line((box.left + inset, y, box.right - 1 - inset, y), fill=tone)

    def _title_bar(self, box: Box, high: int, title: str) -> None:
        look = self._look
        bar = Box(
            left=box.left + look.border,
            top=box.top + look.border,
            right=box.right - look.border,
            bottom=box.top + high,
        )
        if look.title != look.window:
            self._plate(bar, look.title, border=0, radius=look.radius, gradient=look.gradient)
            if look.radius:  # the bar is round above only
                self._draw.rectangle(
                    (bar.left, bar.bottom - look.radius, bar.right - 1, bar.bottom - 1),
                    fill=look.title,
                )
        self._layer.open.append(Box(left=box.left, top=box.top, right=box.right, bottom=bar.bottom))
        wide = self._draw.textlength(title, font=self._font)
        left = bar.left + (70 if look.controls == "left" else 12)
        if look.centred:
            left = (bar.left + bar.right - wide) / 2
        self._write(
            int(left),
            int((bar.top + bar.bottom - self._line) / 2) + 2,
            title,
            look.title_ink,
            plain=True,
        )
        self._controls(bar)

    def _controls(self, bar: Box) -> None:
        middle = (bar.top + bar.bottom) / 2
        look = self._look
        for number in range(3):
            if look.controls == "left":
                x = bar.left + 10 + 20 * number
                colour = ((236, 95, 86), (224, 172, 46), (60, 180, 72))[number]
                self._draw.ellipse((x, middle - 6, x + 12, middle + 6), fill=colour)
                self._found(Kind.ICON, (x, middle - 6, x + 13, middle + 7))
                continue
            x = bar.right - 24 - 30 * number
            low, high = middle - 5, middle + 5
            if number == 0:
                self._draw.line((x, low, x + 10, high), fill=look.title_ink, width=2)
                self._draw.line((x, high, x + 10, low), fill=look.title_ink, width=2)
            elif number == 1:
                self._draw.rectangle((x, low, x + 10, high), outline=look.title_ink)
            else:
                self._draw.line((x, middle, x + 10, middle), fill=look.title_ink, width=2)
                self._layer.open.append(_box(int(x) - 2, int(low) - 2, 16, 16))
                continue
            self._found(Kind.ICON, (x, low, x + 11, high + 1))

    def _dialog(self, inner: Box) -> None:
        top = int(inner.top) + 14
        self._write(int(inner.left) + 20, top, self._sentence(4), self._look.ink)
        self._write(int(inner.left) + 20, top + self._line + 6, self._sentence(5), self._look.ink)
        x = int(inner.right) - 14
        for number in range(self._random.choice((1, 2, 2, 3))):
            x -= self._button(
                x, int(inner.bottom) - self._line - 22, from_right=True, first=not number
            )
            x -= 10

    def _form(self, inner: Box) -> None:
        if self._random.random() < 0.6:
            inner = self._menu(inner)
        left, top = int(inner.left) + 20, int(inner.top) + 14
        label = int(self._draw.textlength("manual language", font=self._font)) + 14
        while top + 3 * self._line + 40 < inner.bottom:
            kind = self._random.choice(("field", "field", "check", "text", "choice"))
            if kind == "field":
                self._write(left, top + 7, self._sentence(2) + ":", self._look.ink)
                self._field(left + label, top, min(int(inner.right) - 24 - left - label, 300))
            elif kind == "choice":
                self._write(left, top + 7, self._sentence(1) + ":", self._look.ink)
                self._field(left + label, top, 170, choice=True)
            elif kind == "check":
                self._check(left, top + 5)
            else:
                self._write(left, top + 5, self._sentence(5), self._look.ink)
            top += self._line + 24
        x = int(inner.right) - 20
        for number in range(self._random.choice((1, 2, 3))):
            x -= self._button(
                x, int(inner.bottom) - self._line - 24, from_right=True, first=not number
            )
            x -= 12

    def _browser(self, inner: Box) -> None:
        """Draw a bar of tools, a list at the side and text beside it."""
        look, random = self._look, self._random
        bar = Box(left=inner.left, top=inner.top, right=inner.right, bottom=inner.top + 40)
        self._draw.rectangle((bar.left, bar.top, bar.right - 1, bar.bottom - 1), fill=look.panel)
        self._layer.elements.append(Drawn(kind=Kind.PANEL, box=bar))
        for number in range(random.randint(3, 5)):
            self._glyph(int(bar.left) + 14 + 36 * number, int(bar.top) + 11, number)
        self._field(int(bar.right) - 214, int(bar.top) + (40 - self._line - 10) // 2, 200)
        side = Box(left=inner.left, top=bar.bottom + 1, right=inner.left + 170, bottom=inner.bottom)
        self._draw.rectangle(
            (side.left, side.top, side.right - 1, side.bottom - 1), fill=look.panel
        )
        self._layer.elements.append(Drawn(kind=Kind.PANEL, box=side))
        self._draw.line((inner.left, bar.bottom, inner.right - 1, bar.bottom), fill=look.line)
        top = int(side.top) + 12
        while top + self._line + 8 < side.bottom:
            self._write(int(side.left) + 16, top, self._sentence(1), look.ink)
            top += self._line + 10
        top = int(bar.bottom) + 20
        while top + 2 * self._line + 40 < inner.bottom:
            self._write(int(side.right) + 24, top, self._sentence(4), look.ink)
            top += self._line + random.choice((6, 6, 18))
        self._button(int(side.right) + 24, int(inner.bottom) - self._line - 24, first=True)

    def _cards(self, inner: Box) -> None:
        """Draw cards in rows, each with a heading, text and a button."""
        look = self._look
        wide, high = 210, self._line * 2 + 92
        for top in range(int(inner.top) + 16, int(inner.bottom) - high - 8, high + 18):
            for left in range(int(inner.left) + 16, int(inner.right) - wide - 8, wide + 18):
                card = _box(left, top, wide, high)
                self._plate(card, look.panel, border=min(look.border, 1), radius=look.radius)
                self._layer.elements.append(Drawn(kind=Kind.PANEL, box=card))
                self._write(left + 14, top + 12, self._sentence(2), look.ink)
                self._write(left + 14, top + 18 + self._line, self._sentence(2), look.ink)
                self._button(left + 14, top + high - self._line - 24, first=True)

    def _menu(self, inner: Box) -> Box:
        x = int(inner.left) + 12
        for name in _MENUS[: self._random.randint(3, 6)]:
            x = self._write(x, int(inner.top) + 6, name, self._look.ink) + 24
            if x > inner.right - 80:
                break
        return Box(
            left=inner.left, top=inner.top + self._line + 12, right=inner.right, bottom=inner.bottom
        )

    def _button(self, x: int, y: int, *, first: bool, from_right: bool = False) -> int:
        """Draw a button and return its width."""
        look = self._look
        text = self._random.choice(_ACTIONS)
        wide = max(int(self._draw.textlength(text, font=self._font)) + 28, 72)
        box = _box(x - wide if from_right else x, y, wide, self._line + 12)
        fill = look.accent if first else look.button
        ink = (255, 255, 255) if first and sum(look.accent) < 480 else (15, 15, 18)
        self._plate(
            box,
            fill,
            border=1 if look.outlined else 0,
            radius=look.radius,
            gradient=look.gradient,
        )
        self._centre(box, text, ink if first else look.ink)
        self._layer.elements.append(Drawn(kind=Kind.BUTTON, box=box, text=text))
        return wide

    def _field(self, x: int, y: int, wide: int, *, choice: bool = False) -> None:
        look, random = self._look, self._random
        box = _box(x, y, wide, self._line + 12)
        self._plate(box, look.field, border=1, radius=min(look.radius, 5))
        text = "" if random.random() < 0.35 and not choice else self._sentence(2)
        while text and self._draw.textlength(text, font=self._font) > wide - 44:
            text = text.rpartition(" ")[0]
        if text:
            self._write(x + 8, y + 7, text, look.ink, plain=True)
        if choice:
            right, middle = x + wide - 18, y + (self._line + 12) // 2
            self._draw.polygon(
                ((right, middle - 3), (right + 9, middle - 3), (right + 4, middle + 3)),
                fill=look.ink,
            )
            self._layer.open.append(_box(right - 3, middle - 7, 16, 14))
        self._layer.elements.append(Drawn(kind=Kind.FIELD, box=box, text=text))

    def _check(self, x: int, y: int) -> None:
        look = self._look
        round_one = self._random.random() < 0.4
        corners = (x, y, x + 15, y + 15)
        if round_one:
            self._draw.ellipse(corners, fill=look.field, outline=look.line)
        else:
            self._draw.rectangle(corners, fill=look.field, outline=look.line)
            if self._random.random() < 0.5:
                self._draw.line(
                    (x + 3, y + 8, x + 6, y + 11, x + 12, y + 4), fill=look.ink, width=2
                )
        self._found(Kind.ICON, (x, y, x + 16, y + 16))
        self._write(x + 26, y - 1, self._sentence(3), look.ink)

    def _glyph(self, x: int, y: int, number: int) -> None:
        """Draw one of five icons of 18 pixels."""
        ink = self._look.ink
        draw = self._draw
        if number == 0:
            draw.polygon(((x, y + 9), (x + 9, y), (x + 9, y + 18)), fill=ink)
            self._found(Kind.ICON, (x, y, x + 10, y + 19))
            return
        if number == 1:
            draw.rectangle((x, y + 5, x + 17, y + 17), fill=self._look.accent)
            draw.rectangle((x, y + 2, x + 7, y + 5), fill=self._look.accent)
        elif number == 2:
            draw.ellipse((x, y, x + 12, y + 12), outline=ink, width=2)
            draw.line((x + 10, y + 10, x + 17, y + 17), fill=ink, width=3)
        elif number == 3:
            draw.ellipse((x, y, x + 17, y + 17), fill=self._look.accent)
            draw.line((x + 5, y + 9, x + 13, y + 9), fill=(255, 255, 255), width=2)
        else:
            for row in (2, 8, 14):
                draw.rectangle((x, y + row, x + 17, y + row + 2), fill=ink)
        self._found(Kind.ICON, (x, y + (2 if number in {1, 4} else 0), x + 18, y + 18))

    def _centre(self, box: Box, text: str, ink: Colour) -> None:
        wide = self._draw.textlength(text, font=self._font)
        self._write(int((box.left + box.right - wide) / 2), int(box.top) + 7, text, ink, plain=True)

    def _write(self, x: int, y: int, text: str, ink: Colour, *, plain: bool = False) -> int:
        """Write a line, an element of its own unless it is `plain`; return where it ends."""
        self._draw.text((x, y), text, font=self._font, fill=ink)
        left, top, right, bottom = self._draw.textbbox((x, y), text, font=self._font)
        if not plain:
            self._layer.elements.append(
                Drawn(
                    kind=Kind.TEXT,
                    box=Box(left=left, top=top, right=right, bottom=bottom),
                    text=text,
                )
            )
        return int(right)

    def _found(self, kind: Kind, corners: tuple[float, float, float, float]) -> None:
        left, top, right, bottom = map(int, corners)
        self._layer.elements.append(
            Drawn(kind=kind, box=Box(left=left, top=top, right=right, bottom=bottom))
        )

    def _sentence(self, words: int) -> str:
        return " ".join(self._random.sample(_WORDS, words)).capitalize()
