"""Source code to blocks, by its syntax."""

import re
import time
from dataclasses import dataclass

import pytest

from memory.documents import NewChunk, located
from tools.chunking import TOKENS_LIMIT, chunks
from tools.content import Kind, detect
from tools.reading import code
from tools.reading.base import Reading
from tools.tokens import tokens_bound


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A source with one definition that is longer than a passage."""

    media_type: str
    head: str
    member: str
    """One of many, `%d` its number."""
    tail: str
    path: tuple[str, ...]
    """Of the member with the number 7."""


SAMPLES = {
    "store.py": Sample(
        media_type="text/x-python",
        head='"""Keeps things."""\n\nimport os\n\n\n@final\n'
        'class Store(Base):\n    """Shelves."""\n',
        member="    @cached\n    async def take_%d(self, name: str) -> bytes:\n"
        '        """Take one."""\n        return await self._read(os.path.join(self.root, name))\n',
        tail="\n\nif __name__ == '__main__':\n    main()\n",
        path=("class Store", "async def take_7"),
    ),
    "store.js": Sample(
        media_type="text/x-javascript",
        head="'use strict';\nconst fs = require('fs');\n\nexport class Store extends Base {\n",
        member="  // Takes one.\n  async take%d(name) {\n"
        "    return await fs.readFile(name);\n  }\n",
        tail="}\n\nconst open = (path) => { return new Store(path); };\n",
        path=("class Store", "async take7"),
    ),
    "store.ts": Sample(
        media_type="text/x-typescript",
        head="import { Base } from './base';\n\nexport abstract class Store<T> implements Base {\n",
        member="  public async take%d(name: string): Promise<T> {\n"
        "    const found: T = await this.read(name);\n    return found;\n  }\n",
        tail="}\n\nexport interface Shelf { name: string; size: number }\n",
        path=("abstract class Store", "public async take7"),
    ),
    "shelf.tsx": Sample(
        media_type="text/x-tsx",
        head="import React from 'react';\n\nexport class Shelf extends React.Component<Props> {\n",
        member="  private row%d(item: Item): JSX.Element {\n"
        '    return <li className="row" onClick={() => this.pick(item)}>{item.name}</li>;\n  }\n',
        tail="}\n\nexport default Shelf;\n",
        path=("class Shelf", "private row7"),
    ),
    "store.go": Sample(
        media_type="text/x-go",
        head='package store\n\nimport "os"\n\ntype Store interface {\n',
        member="\t// Take%d returns one of them, and an error where there is none.\n"
        "\tTake%d(name string, depth int) ([]byte, error)\n",
        tail="}\n\nfunc (s *shelf) Put(name string) error {\n\treturn os.ErrInvalid\n}\n",
        path=("Store",),
    ),
    "store.rs": Sample(
        media_type="text/x-rust",
        head="use std::io::Read;\n\npub struct Store<T> { shelf: Vec<T> }\n\n"
        "impl<T: Clone> Keeper for Store<T> {\n",
        member="    /// Takes one.\n    #[inline]\n"
        "    pub fn take_%d(&self, at: usize) -> Option<T> {\n"
        "        self.shelf.get(at).cloned()\n    }\n",
        tail="}\n\nmod tests {\n    use super::*;\n}\n",
        path=("impl<T: Clone> Keeper for Store<T>", "pub fn take_7"),
    ),
    "store.c": Sample(
        media_type="text/x-c",
        head="#include <stdio.h>\n#include <stdlib.h>\n\n"
        "#ifdef STORE\nstatic int run(int argc) {\n",
        member='    if (argc == %d) {\n        printf("%s\\n", argc);\n'
        "        free(argc);\n    }\n",
        tail="    return 0;\n}\n#endif\n",
        path=("static int run",),
    ),
    "store.cpp": Sample(
        media_type="text/x-cpp",
        head="#include <vector>\n\nnamespace keep {\ntemplate <typename T>\n"
        "class Store : public Base {\npublic:\n",
        member="  // Takes one.\n  std::vector<T> take_%d(const std::string& name) const {\n"
        "    return std::vector<T>(name.begin(), name.end());\n  }\n",
        tail="};\n}  // namespace keep\n\nint keep::Shelf::size(int most) const { return most; }\n",
        path=("namespace keep", "class Store", "std::vector<T> take_7"),
    ),
    "Store.java": Sample(
        media_type="text/x-java",
        head="package keep;\n\nimport java.util.List;\n\n@Service\npublic class Store {\n",
        member="  /** Takes one. */\n  @Override\n  public List<String> take%d(String name) {\n"
        "    return this.shelf.find(name);\n  }\n",
        tail="}\n",
        path=("public class Store", "public List<String> take7"),
    ),
    "Store.cs": Sample(
        media_type="text/x-csharp",
        head="using System;\n\nnamespace Keep.Core\n{\n  [Serializable]\n"
        "  public class Store : IStore\n  {\n",
        member="    /// <summary>Takes one.</summary>\n"
        "    public async Task<int> Take%d(string name)\n"
        "    {\n      return await this.shelf.FindAsync(name);\n    }\n",
        tail="  }\n}\n",
        path=("namespace Keep.Core", "public class Store", "public async Task<int> Take7"),
    ),
    "store.rb": Sample(
        media_type="text/x-ruby",
        head="require 'set'\n\nmodule Keep\n  class Store < Base\n    attr_reader :shelf\n\n",
        member="    # Takes one.\n    def take_%d(name)\n"
        "      @shelf.find { |item| item.name == name }\n    end\n\n",
        tail="  end\nend\n",
        path=("module Keep", "class Store", "def take_7"),
    ),
    "store.php": Sample(
        media_type="text/x-php",
        head="<?php\nnamespace Keep;\n\nuse Base\\Shelf;\n\nclass Store extends Shelf\n{\n",
        member="    /** Takes one. */\n    public function take%d(string $name): ?string\n"
        "    {\n        return $this->shelf[$name] ?? null;\n    }\n",
        tail="}\n",
        path=("class Store", "public function take7"),
    ),
    "store.sh": Sample(
        media_type="text/x-bash",
        head='#!/usr/bin/env bash\nset -euo pipefail\n\nrun() {\n  local name="$1"\n',
        member='  if [[ "$name" == %d ]]; then\n'
        '    echo "taking $name" >&2\n    rm -f "$name"\n  fi\n',
        tail='}\n\nrun "$@"\n',
        path=("run",),
    ),
    "store.sql": Sample(
        media_type="text/x-sql",
        head="-- What is kept.\nCREATE TABLE keep.shelves (\n    id bigint PRIMARY KEY,\n",
        member="    name_%d text NOT NULL DEFAULT '',\n",
        tail="    made timestamptz\n);\n\nSELECT name FROM keep.shelves WHERE id = 1;\n",
        path=("CREATE TABLE keep.shelves",),
    ),
    "Store.kt": Sample(
        media_type="text/x-kotlin",
        head="package keep\n\nimport java.io.File\n\n@Serializable\n"
        "class Store(val root: File) : Base() {\n",
        member="    /** Takes one. */\n    fun take%d(name: String): ByteArray? {\n"
        "        return root.resolve(name).takeIf { it.exists() }?.readBytes()\n    }\n",
        tail="}\n\nfun Store.size() = root.length()\n",
        path=("class Store", "fun take7"),
    ),
    "Store.swift": Sample(
        media_type="text/x-swift",
        head="import Foundation\n\n@objc public class Store: Base {\n    let shelf: [String]\n",
        member="    /// Takes one.\n    public func take%d(_ name: String) throws -> String? {\n"
        "        guard let found = shelf.first(where: { $0 == name }) else { return nil }\n"
        "        return found\n    }\n",
        tail="}\n\nextension Store: Equatable {}\n",
        path=("public class Store", "public func take7"),
    ),
    "store.lua": Sample(
        media_type="text/x-lua",
        head="-- Keeps things on shelves, by their names, until they are taken.\n"
        "local Store = {}\nStore.__index = Store\n\nfunction Store.run(self, name)\n",
        member="  if name == %d then\n    self.shelf[name] = nil\n"
        "    print('taken ' .. name)\n  end\n",
        tail="end\n\nStore.open = function(path)\n"
        "  return setmetatable({}, Store)\nend\n\nreturn Store\n",
        path=("function Store.run",),
    ),
}


def source(name: str, members: int = 30) -> str:
    sample = SAMPLES[name]
    return sample.head + "".join(member(name, number) for number in range(members)) + sample.tail


def member(name: str, number: int) -> str:
    return SAMPLES[name].member.replace("%d", str(number))


def read(text: str, name: str) -> Reading:
    content = detect(text.encode(), name)
    assert content.kind is Kind.CODE, content
    return code.read(text.encode(), name, content.media_type)


def passages(text: str, name: str) -> tuple[NewChunk, ...]:
    return chunks(read(text, name), tokens_bound)


def squeezed(text: str) -> str:
    return re.sub(r"\W|_", "", text)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_language_is_told_by_the_text(name: str) -> None:
    told = detect(source(name).encode(), "" if name.endswith("x") else "lying.txt")
    expected = SAMPLES[name].media_type.replace("tsx", "typescript" if told else "tsx")
    assert told.media_type in {expected, SAMPLES[name].media_type}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_stands_in_a_definition_carries_its_path(name: str) -> None:
    text = source(name)
    made = passages(text, name)
    wanted = next(line.strip() for line in member(name, 7).splitlines() if "7" in line)
    holder = next(chunk for chunk in made if wanted in chunk.text)
    at = holder.text.index(wanted)
    assert located(holder, at, at + len(wanted)).heading == SAMPLES[name].path
    outer = SAMPLES[name].path[0]
    assert outer in holder.context


@pytest.mark.parametrize("name", SAMPLES)
def test_every_word_stands_in_one_passage_at_its_line(name: str) -> None:
    text = source(name)
    lines = text.split("\n")
    made = passages(text, name)
    assert squeezed("".join(chunk.text for chunk in made)) == squeezed(text)
    for chunk in made:
        assert tokens_bound(chunk.text) + tokens_bound(chunk.context) <= TOKENS_LIMIT
        for match in re.finditer(r"\S+", chunk.text):
            place = located(chunk, *match.span())
            assert place.line is not None
            assert match.group() in lines[place.line - 1]


@pytest.mark.parametrize("name", SAMPLES)
def test_hardly_any_passage_is_tiny(name: str) -> None:
    sizes = [tokens_bound(chunk.text) for chunk in passages(source(name), name)]
    assert sum(size < 30 for size in sizes) <= 1
    assert sorted(sizes)[len(sizes) // 2] > 100


def test_small_definitions_share_a_passage_and_keep_their_own_paths() -> None:
    text = "import os\n\n" + "".join(f"def f_{n}(x):\n    return x + {n}\n\n\n" for n in range(12))
    (made, *_rest) = passages(text, "small.py")
    assert made.text.count("def f_") > 5
    at = made.text.index("x + 3")
    assert located(made, at, at + 5).heading == ("def f_3",)
    assert made.place.heading == ()


def test_comments_and_decorators_stay_with_what_they_stand_above() -> None:
    filler = "    x = compute(x, 'something to fill the lines of this function', depth=12)\n" * 6
    text = "".join(
        f"# About number {n}.\n@decorated({n})\ndef f_{n}(x):\n{filler}    return x\n\n\n"
        for n in range(6)
    )
    for n, block in enumerate(read(text, "led.py").blocks):
        assert block.text.startswith(f"# About number {n}.\n@decorated({n})\ndef f_{n}(x):")


def test_what_is_longer_than_a_passage_keeps_its_signature_in_view() -> None:
    body = "".join(f"    value_{n} = transform(items[{n}], 'with words')\n" for n in range(60))
    made = passages(f"def long(items: list[str], *, deep: bool) -> None:\n{body}", "long.py")
    assert len(made) > 3
    for chunk in made:
        assert "def long(items: list[str], *, deep: bool) -> None" in chunk.context
        assert chunk.place.heading == ("def long",)
        assert chunk.text.strip().endswith(")") or chunk is made[0]


def test_functions_that_are_assigned_have_names() -> None:
    text = (
        "module.exports.find = function (name) { return name; };\n\n"
        "export const open = async (path) => { return path; };\n"
    )
    paths = [block.place.heading for block in read(text, "named.js").blocks]
    assert ("module.exports.find",) in paths
    assert ("open",) in paths


def test_broken_code_is_read_as_far_as_it_can_be_told() -> None:
    text = source("store.py") + "\n\ndef broken(:\n    return )\n\n\ndef after(x):\n    return x\n"
    made = passages(text, "store.py")
    assert squeezed("".join(chunk.text for chunk in made)) == squeezed(text)
    assert any("async def take_7" in chunk.text for chunk in made)


def test_what_only_looks_like_code_is_read_as_text() -> None:
    prose = b"These are notes; nobody would parse them. (They end here)\n\nReally.\n" * 20
    assert code.read(prose, "notes.java", "text/x-java").kind == "text"


def test_a_name_decides_only_where_the_text_leaves_the_language_open() -> None:
    assert detect(b"x = 1\n", "settings.py").media_type == "text/x-python"
    assert detect(b"x = 1\n", "settings.txt").kind is Kind.TEXT
    assert detect(source("store.go").encode(), "store.py").media_type == "text/x-go"
    assert detect(source("shelf.tsx").encode(), "shelf.tsx").media_type == "text/x-tsx"
    assert detect(b"#!/usr/bin/env python3\nprint(1)\n", "tool").media_type == "text/x-python"
    assert detect(b"%PDF-1.7\n%\n1 0 obj\n", "paper.py").kind is Kind.PDF


@pytest.mark.parametrize(
    ("nasty", "name"),
    [
        ("(" * 200_000, "deep.py"),
        ("[" * 200_000 + "]" * 200_000, "deep.js"),
        ("{" * 100_000, "deep.c"),
        ("if x:\n" + "".join(" " * n + "if x:\n" for n in range(1, 3_000)), "steps.py"),
        ("x = " + " + ".join("a" for _ in range(200_000)), "sum.py"),
        ("var a=1;" * 100_000, "flat.js"),
        ("".join(f"function f{n}(a){{return a+{n}}}" for n in range(40_000)), "minified.js"),
        ("\n" * 1_000_000 + "x = 1", "blank.py"),
        ("# note\n" * 200_000, "notes.py"),
        ("x = 1" + " " * 1_000_000 + "# end", "wide.py"),
        ("'" * 300_000, "quotes.py"),
        ("a\0b = 1\n" * 1_000, "zeros.py"),
    ],
)
def test_code_made_to_hurt_is_read_in_bearable_time(nasty: str, name: str) -> None:
    media_type = f"text/x-{ {'js': 'javascript', 'py': 'python'}.get(name.split('.')[1], 'c') }"
    began = time.process_time()
    made = chunks(code.read(nasty.encode(), name, media_type), tokens_bound)
    assert time.process_time() - began < 10
    read_words = squeezed("".join(chunk.text for chunk in made))
    assert read_words == squeezed(nasty.replace("\0", "\ufffd"))
