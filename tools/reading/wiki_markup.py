"""Wikitext as its readers see it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

_DEPTH = 40
"""Brackets within each other, as many as MediaWiki follows; deeper ones are letters."""
_VALUE_LETTERS = 300
"""Of a fact in an infobox."""
_LEAST_FACTS = 3

_TOKEN = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|^[ \t:]*\{\||^[ \t]*\|\}|\||<(/?)([a-zA-Z]+)((?:\s[^<>]*)?)>",
    re.MULTILINE,
)
_SKIPPED = frozenset("ref references gallery timeline imagemap templatestyles score graph".split())
_ASIDE = re.compile(
    r"\s*(?:file|image|category|media|datei|bild|kategorie|fichier|catégorie|archivo|imagen|categoría|"
    r"immagine|categoria|ficheiro|imagem|bestand|afbeelding|categorie|plik|grafika|файл|категория|"
    r"ファイル|画像|分类|分類|文件)\s*:",
    re.IGNORECASE,
)
"""Links that show a picture or sort the page, and say nothing in the text."""
_SHOWN = {
    **dict.fromkeys("lang lang-en ill transl transliteration".split(), slice(-1, None)),
    **dict.fromkeys("nowrap nobr small big abbr sc vanchor anchor visible quote".split(), slice(1)),
    **dict.fromkeys("convert cvt".split(), slice(2)),
}
"""Templates whose arguments stand in the text, and which of them."""

_ADDRESS = re.compile(r"\[(?:https?:)?//[^\s\[\]]{1,500}+[ \t]*+([^\]\[\n]{0,500})\]")
_QUOTES = re.compile(r"'{2,5}")
_SWITCH = re.compile(r"__[A-Z]{3,30}__")
_LIST = re.compile(r"^([*#:;]+)[ \t]*", re.MULTILINE)
_FACT = re.compile(r"\s*+(\w[\w .()/-]{0,59}?)\s*=\s*(.*)", re.DOTALL)
_CELLS = re.compile(r"\|\||!!")
_STYLE = re.compile(r"[^|\[\]{}\n]{0,200}=[^|\[\]{}\n]{0,200}\|(?!\|)")
_BLANKS = re.compile(r"[ \t]+")


@dataclass(kw_only=True, slots=True)
class _Frame:
    """A bracket that is open."""

    kind: str
    """What closes it."""
    opening: str
    parts: list[list[str]] = field(default_factory=lambda: [[]])

    def arguments(self) -> list[str]:
        return ["".join(part) for part in self.parts]


def rendered(source: str) -> str:
    """Return the words of wikitext: links by their text, infoboxes as `key: value`, tables as rows.

    References, pictures and other templates are left out. Takes time in proportion to the source.
    """
    text = _scanned("".join(_uncommented(source)))
    text = _QUOTES.sub("", _ADDRESS.sub(r"\1", _SWITCH.sub("", text)))
    text = _LIST.sub(lambda marks: "- " if marks[1][-1] in "*#" else "", text)
    return unescape(_BLANKS.sub(" ", text)).replace("\0", "").strip()


def _uncommented(source: str) -> Iterator[str]:
    at = 0
    while (start := source.find("<!--", at)) >= 0:
        yield source[at:start]
        end = source.find("-->", start)
        if end < 0:
            return
        at = end + 3
    yield source[at:]


def _scanned(source: str) -> str:
    frames = [_Frame(kind="", opening="")]
    at = 0
    for match in _TOKEN.finditer(source):
        frames[-1].parts[-1].append(source[at : match.start()])
        at = match.end()
        _take(frames, match)
    frames[-1].parts[-1].append(source[at:])
    while len(frames) > 1:
        _drop(frames)
    return "".join(frames[0].parts[0])


_CLOSES = {"{{": "}}", "[[": "]]", "{|": "|}"}


def _take(frames: list[_Frame], match: re.Match[str]) -> None:
    """Take one piece of markup."""
    mark = match[0].strip(" \t:")
    if match[2]:
        _take_tag(frames, name=match[2].lower(), closing=bool(match[1]), rest=match[3])
    elif mark in _CLOSES and len(frames) < _DEPTH:
        frames.append(_Frame(kind=_CLOSES[mark], opening=mark))
    elif mark == "|" and frames[-1].kind in {"}}", "]]"}:
        frames[-1].parts.append([])
    elif mark in _CLOSES.values():
        _close(frames, mark)
    else:
        frames[-1].parts[-1].append(mark)


def _take_tag(frames: list[_Frame], *, name: str, closing: bool, rest: str) -> None:
    if name in _SKIPPED:
        if closing:
            _close(frames, name)
        elif not rest.endswith("/") and len(frames) < _DEPTH:
            frames.append(_Frame(kind=name, opening=""))
    elif name in {"br", "p", "div", "li", "tr"}:
        frames[-1].parts[-1].append("\n")


def _close(frames: list[_Frame], kind: str) -> None:
    """Close the nearest bracket of a kind; those in it were never closed."""
    if all(frame.kind != kind for frame in frames):
        return
    while frames[-1].kind != kind:
        _drop(frames)
    frame = frames.pop()
    frames[-1].parts[-1].append(_SAID.get(kind, _nothing)(frame))


def _drop(frames: list[_Frame]) -> None:
    """Take a bracket that is never closed for letters."""
    frame = frames.pop()
    frames[-1].parts[-1].append(frame.opening + "|".join(frame.arguments()))


def _nothing(_: _Frame) -> str:
    return ""


def _link(frame: _Frame) -> str:
    target, *rest = frame.arguments()
    if _ASIDE.match(target):
        return ""
    return rest[-1] if rest and rest[-1].strip() else target.removeprefix(":")


def _template(frame: _Frame) -> str:
    """Return what a template shows: its facts, if it is a box of them."""
    name, *arguments = frame.arguments()
    facts = [fact for argument in arguments if (fact := _FACT.fullmatch(argument))]
    if len(facts) >= _LEAST_FACTS and name.endswith("\n"):
        lines = (f"{fact[1]}: {_line(fact[2])}" for fact in facts if _line(fact[2]))
        return "\n" + "\n".join(lines) + "\n\n"
    shown = _SHOWN.get(name.strip().lower())
    return "" if shown is None else " ".join(arguments[shown])


def _line(value: str) -> str:
    return " ".join(value.split())[:_VALUE_LETTERS]


def _table(frame: _Frame) -> str:
    """Return the rows of a table, their cells side by side."""
    lines = "".join(frame.arguments()).split("\n")[1:]
    rows: list[list[list[str]]] = [[]]
    for line in map(str.strip, lines):
        if line.startswith("|-"):
            rows.append([])
        elif line.startswith(("|", "!")):
            rows[-1] += [[_cell(cell)] for cell in _CELLS.split(line.lstrip("|!+"))]
        elif rows[-1]:
            rows[-1][-1].append(line)
    held = (" | ".join(filter(None, (" ".join(cell).strip() for cell in row))) for row in rows)
    return "\n" + "\n".join(row for row in held if row) + "\n\n"


def _cell(cell: str) -> str:
    style = _STYLE.match(cell)
    return cell if style is None else cell[style.end() :]


_SAID = {"}}": _template, "]]": _link, "|}": _table}
