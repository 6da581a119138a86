"""Programming languages whose syntax can be read."""

import re
from dataclasses import dataclass
from pathlib import PurePath

_PREFIX = "text/x-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """A programming language, or a dialect with a grammar of its own."""

    grammar: str
    """Name in `tree_sitter_language_pack`."""

    @property
    def media_type(self) -> str:
        """Tells the grammar, which the registered types do not: C and C++ share one."""
        return _PREFIX + self.grammar


_GRAMMARS = {
    "asm": "asm",
    "bazel": "starlark",
    "c": "c",
    "clojure": "clojure",
    "cmake": "cmake",
    "cobol": "cobol",
    "cpp": "cpp",
    "cs": "csharp",
    "css": "css",
    "dart": "dart",
    "dockerfile": "dockerfile",
    "elixir": "elixir",
    "erlang": "erlang",
    "fortran": "fortran",
    "gemfile": "ruby",
    "gemspec": "ruby",
    "go": "go",
    "gradle": "groovy",
    "groovy": "groovy",
    "haskell": "haskell",
    "hcl": "hcl",
    "java": "java",
    "javascript": "javascript",
    "julia": "julia",
    "kotlin": "kotlin",
    "lisp": "commonlisp",
    "lua": "lua",
    "makefile": "make",
    "matlab": "matlab",
    "objectivec": "objc",
    "ocaml": "ocaml",
    "pascal": "pascal",
    "perl": "perl",
    "php": "php",
    "powershell": "powershell",
    "proto": "proto",
    "python": "python",
    "r": "r",
    "ruby": "ruby",
    "rust": "rust",
    "scala": "scala",
    "scss": "scss",
    "shell": "bash",
    "smali": "smali",
    "solidity": "solidity",
    "sql": "sql",
    "swift": "swift",
    "tcl": "tcl",
    "typescript": "typescript",
    "verilog": "verilog",
    "vhdl": "vhdl",
    "vue": "vue",
    "zig": "zig",
}
"""By the classifier's label. Data and markup, such as JSON and HTML, are no code."""

_SUFFIXES = {
    **dict.fromkeys("py pyi".split(), "python"),
    **dict.fromkeys("js mjs cjs jsx".split(), "javascript"),
    **dict.fromkeys("ts mts cts".split(), "typescript"),
    "tsx": "tsx",
    "go": "go",
    "rs": "rust",
    "c": "c",
    **dict.fromkeys("cc cpp cxx hh hpp hxx".split(), "cpp"),
    "java": "java",
    "cs": "csharp",
    **dict.fromkeys("rb rake".split(), "ruby"),
    "php": "php",
    **dict.fromkeys("sh bash".split(), "bash"),
    "sql": "sql",
    **dict.fromkeys("kt kts".split(), "kotlin"),
    "swift": "swift",
    "lua": "lua",
    "scala": "scala",
    "m": "objc",
    "dart": "dart",
    "r": "r",
    "jl": "julia",
    "ps1": "powershell",
    "hs": "haskell",
    "ml": "ocaml",
    "ex": "elixir",
    "exs": "elixir",
    "proto": "proto",
    "zig": "zig",
    "css": "css",
    "scss": "scss",
}
"""By what a file's name ends with, where that is clear; `.h` and `.pl` are not."""

_FAMILIES = (
    {"c", "cpp", "objc"},
    {"javascript", "typescript", "tsx"},
    {"python", "starlark"},
    {"css", "scss"},
)
"""Languages that a text may be in both of."""

_SHEBANG = re.compile(r"#![ \t]*\S*?/?(?:env[ \t]+(?:-\S+[ \t]+)*)?([a-z]+)[\d.]*(?=\s|\Z)")
_INTERPRETERS = {
    **dict.fromkeys("sh bash dash ksh zsh ash".split(), "bash"),
    **dict.fromkeys("node nodejs deno bun".split(), "javascript"),
    **dict.fromkeys("python pypy".split(), "python"),
    **{name: name for name in "ruby perl php lua tcl swift julia".split()},
    "tclsh": "tcl",
    "pwsh": "powershell",
    "Rscript": "r",
}


def of(text: str, name: str, *, label: str, unsure: bool) -> Language | None:
    """Return the language of a text, None where it is no code.

    The label is the classifier's. The file's name decides only where that is unsure, and between
    languages that look the same.
    """
    grammar = _interpreted(text) or _GRAMMARS.get(label)
    named = _SUFFIXES.get(PurePath(name).suffix.removeprefix(".").lower())
    if (grammar is None and unsure) or any({grammar, named} <= family for family in _FAMILIES):
        grammar = named
    return None if grammar is None else Language(grammar=grammar)


def by_media_type(media_type: str) -> Language:
    """Return the language that has a media type of `Language.media_type`."""
    return Language(grammar=media_type.removeprefix(_PREFIX))


def _interpreted(text: str) -> str | None:
    shebang = _SHEBANG.match(text)
    return None if shebang is None else _INTERPRETERS.get(shebang[1])
