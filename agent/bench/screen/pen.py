"""The parts of a drawn window: each is drawn, and noted down with its box."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from agent.bench.screen.themes import Colour, Theme, font
from memory.places import Box
from tools.senses.screen import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

WORDS = (
    "account address archive battery budget calendar camera changes colour contact country "
    "current daily default delete device display document download draft editor enable export "
    "family filter folder format general gallery history home image import inbox invoice "
    "keyboard language last library license list local manual memory message monthly mouse "
    "music name network never notes office options order output page password photo phone "
    "picture print privacy profile project quality recent region report results sample screen "
    "search second security select server settings share size sound source start storage "
    "street system table template theme title total trash update upload user version video "
    "volume water weekly window world "
).split()
_ACTIONS = (
    "OK Cancel Apply Save Open Close Delete Print Next Back Search Send Browse... Retry Yes No "
    "Help Install Connect Refresh Upload Reset"
).split()
MENUS = "File Edit View Insert Format Tools Window Help".split()


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """An element that was drawn."""

    kind: Kind
    box: Box
    text: str = ""
    written: Box | None = None
    """Where the text stands, where that is not the whole element."""


@dataclass(slots=True)
class Layer:
    """A window with its elements."""

    box: Box
    elements: list[Drawn] = field(default_factory=list)
    open: list[Box] = field(default_factory=list)


def at(left: int, top: int, width: int, height: int) -> Box:
    """Return a box by its corner and its size."""
    return Box(left=left, top=top, right=left + width, bottom=top + height)


class Pen:
    """Draws parts into one screenshot, in the look of a theme."""

    def __init__(self, image: "Image", look: Theme, random: Random) -> None:
        from PIL import ImageDraw

        self.image = image
        self._draw: Any = ImageDraw.Draw(image)
        self.look = look
        self.random = random
        self._font = font(look.font, look.size)
        probe = self._draw.textbbox((0, 0), "Hxg", font=self._font)
        self.line_height = int(probe[3] - probe[1]) + 4
        self.layer = Layer(at(0, 0, 0, 0))

    def shadow(self, box: Box) -> None:
        """Darken what is around a window."""
        from PIL import Image, ImageDraw, ImageFilter

        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).rectangle(
            (box.left - 2, box.top + 2, box.right + 2, box.bottom + 6), fill=110
        )
        mask = mask.filter(ImageFilter.GaussianBlur(8))
        self.image.paste((0, 0, 0), (0, 0), mask)

    def plate(
        self, box: Box, fill: Colour, *, border: int, radius: int, gradient: bool = False
    ) -> None:
        """Draw a ground, with a border and round corners where wanted."""
        corners = (box.left, box.top, box.right - 1, box.bottom - 1)
        self._draw.rounded_rectangle(
            corners, radius, fill=fill, outline=self.look.line if border else None, width=border
        )
        if gradient:
            high = int(box.bottom - box.top) - 2 * max(border, 1)
            for row in range(high):
                shade = 12 - 24 * row // max(high, 1)
                tone = tuple(min(max(one + shade, 0), 255) for one in fill)
                y = box.top + max(border, 1) + row
                inset = max(border, radius, 1)
                self._draw.line((box.left + inset, y, box.right - 1 - inset, y), fill=tone)

    def title_bar(self, box: Box, high: int, title: str) -> Box:
        """Draw the bar of a window and return where its title stands."""
        look = self.look
        bar = Box(
            left=box.left + look.border,
            top=box.top + look.border,
            right=box.right - look.border,
            bottom=box.top + high,
        )
        if look.title != look.window:
            self.plate(bar, look.title, border=0, radius=look.radius, gradient=look.gradient)
            if look.radius:  # the bar is round above only
                self._draw.rectangle(
                    (bar.left, bar.bottom - look.radius, bar.right - 1, bar.bottom - 1),
                    fill=look.title,
                )
        self.layer.open.append(Box(left=box.left, top=box.top, right=box.right, bottom=bar.bottom))
        wide = self.width(title)
        left = bar.left + (70 if look.controls == "left" else 12)
        if look.centred:
            left = (bar.left + bar.right - wide) / 2
        self._controls(bar)
        y = int((bar.top + bar.bottom - self.line_height) / 2) + 2
        return self._write(int(left), y, title, look.title_ink)

    def _controls(self, bar: Box) -> None:
        middle = (bar.top + bar.bottom) / 2
        look = self.look
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
                self.layer.open.append(at(int(x) - 2, int(low) - 2, 16, 16))
                continue
            self._found(Kind.ICON, (x, low, x + 11, high + 1))

    def button(self, x: int, y: int, *, first: bool, from_right: bool = False) -> int:
        """Draw a button and return its width."""
        look = self.look
        text = self.random.choice(_ACTIONS)
        wide = max(int(self.width(text)) + 28, 72)
        box = at(x - wide if from_right else x, y, wide, self.line_height + 12)
        fill = look.accent if first else look.button
        ink = (255, 255, 255) if first and sum(look.accent) < 480 else (15, 15, 18)
        self.plate(
            box,
            fill,
            border=1 if look.outlined else 0,
            radius=look.radius,
            gradient=look.gradient,
        )
        written = self._centre(box, text, ink if first else look.ink)
        self.layer.elements.append(Drawn(kind=Kind.BUTTON, box=box, text=text, written=written))
        return wide

    def field(self, x: int, y: int, wide: int, *, choice: bool = False) -> None:
        """Draw a field to write into, or to choose from."""
        look, random = self.look, self.random
        box = at(x, y, wide, self.line_height + 12)
        self.plate(box, look.field, border=1, radius=min(look.radius, 5))
        text = "" if random.random() < 0.35 and not choice else self.sentence(2)
        while text and self.width(text) > wide - 44:
            text = text.rpartition(" ")[0]
        written = self._write(x + 8, y + 7, text, look.ink) if text else None
        if choice:
            right, middle = x + wide - 18, y + (self.line_height + 12) // 2
            self._draw.polygon(
                ((right, middle - 3), (right + 9, middle - 3), (right + 4, middle + 3)),
                fill=look.ink,
            )
            self.layer.open.append(at(right - 3, middle - 7, 16, 14))
        self.layer.elements.append(Drawn(kind=Kind.FIELD, box=box, text=text, written=written))

    def check(self, x: int, y: int) -> None:
        """Draw a box or a circle to be ticked, with its label."""
        look = self.look
        round_one = self.random.random() < 0.4
        corners = (x, y, x + 15, y + 15)
        if round_one:
            self._draw.ellipse(corners, fill=look.field, outline=look.line)
        else:
            self._draw.rectangle(corners, fill=look.field, outline=look.line)
            if self.random.random() < 0.5:
                self._draw.line(
                    (x + 3, y + 8, x + 6, y + 11, x + 12, y + 4), fill=look.ink, width=2
                )
        self._found(Kind.ICON, (x, y, x + 16, y + 16))
        self.text(x + 26, y - 1, self.sentence(3))

    def glyph(self, x: int, y: int, number: int) -> None:
        """Draw one of five icons of 18 pixels."""
        ink = self.look.ink
        draw = self._draw
        if number == 0:
            draw.polygon(((x, y + 9), (x + 9, y), (x + 9, y + 18)), fill=ink)
            self._found(Kind.ICON, (x, y, x + 10, y + 19))
            return
        if number == 1:
            draw.rectangle((x, y + 5, x + 17, y + 17), fill=self.look.accent)
            draw.rectangle((x, y + 2, x + 7, y + 5), fill=self.look.accent)
        elif number == 2:
            draw.ellipse((x, y, x + 12, y + 12), outline=ink, width=2)
            draw.line((x + 10, y + 10, x + 17, y + 17), fill=ink, width=3)
        elif number == 3:
            draw.ellipse((x, y, x + 17, y + 17), fill=self.look.accent)
            draw.line((x + 5, y + 9, x + 13, y + 9), fill=(255, 255, 255), width=2)
        else:
            for row in (2, 8, 14):
                draw.rectangle((x, y + row, x + 17, y + row + 2), fill=ink)
        self._found(Kind.ICON, (x, y + (2 if number in {1, 4} else 0), x + 18, y + 18))

    def width(self, text: str) -> float:
        """Return how wide a text is."""
        return float(self._draw.textlength(text, font=self._font))

    def rule(self, left: float, right: float, y: float) -> None:
        """Draw a level line."""
        self._draw.line((left, y, right - 1, y), fill=self.look.line)

    def _centre(self, box: Box, text: str, ink: Colour) -> Box:
        wide = self.width(text)
        x = int((box.left + box.right - wide) / 2)
        return self._write(x, int(box.top) + 7, text, ink)

    def text(self, x: int, y: int, text: str) -> Box:
        """Write a line that is an element of its own."""
        box = self._write(x, y, text, self.look.ink)
        self.layer.elements.append(Drawn(kind=Kind.TEXT, box=box, text=text))
        return box

    def _write(self, x: int, y: int, text: str, ink: Colour) -> Box:
        self._draw.text((x, y), text, font=self._font, fill=ink)
        left, top, right, bottom = self._draw.textbbox((x, y), text, font=self._font)
        return Box(left=left, top=top, right=right, bottom=bottom)

    def _found(self, kind: Kind, corners: tuple[float, float, float, float]) -> None:
        left, top, right, bottom = map(int, corners)
        self.layer.elements.append(
            Drawn(kind=kind, box=Box(left=left, top=top, right=right, bottom=bottom))
        )

    def sentence(self, words: int) -> str:
        """Return some words."""
        return " ".join(self.random.sample(WORDS, words)).capitalize()
