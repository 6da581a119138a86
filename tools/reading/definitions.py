"""What a node of a syntax tree defines, in any grammar: told by the words that grammars use."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_NOUNS = (
    "class|struct|union|enum|interface|trait|impl|mod|module|namespace|object|protocol|extension|"
    "record|contract|function|func|method|constructor|destructor|subroutine|subprogram|procedure|"
    "macro|modifier|event|service|type_alias"
)
_FORMS = "definition|declaration|item|specifier|statement|implementation|interface"
_DEFINITION = re.compile(
    rf"(?:\w+_)?(?:{_NOUNS})_(?:{_FORMS})|(?:local_)?(?:{_NOUNS})|create_\w+|type_spec|defun|"
    r"(?:function|macro)_def|(?:de)?init_declaration|subroutine_declaration_statement|"
    r"singleton_(?:class|method)|internal_module|companion_object|secondary_constructor|message|rpc"
)
_NO_DEFINITION = re.compile(r"\w*(?:import|package|alias)\w*|storage_class_specifier")
_BODY = re.compile(r"(?:\w+_)?(?:body|block|body_statement|declaration_list|members)")
_NAME = re.compile(r"(?:\w+_)?(?:identifier|name|word|constant|object_reference)")
_BINDING = re.compile(r"variable_declarator|assignment\w*|(?:public_)?field_definition|pair")
_FUNCTION = re.compile(r"arrow_function|function(?:_expression|_definition)?|class|func_literal")
_NAMELESS = frozenset({"impl_item"})
"""What is called by all that stands above its body."""
_LEADING = re.compile(r"\w*(?:comment|decorator|attribute|annotation)\w*")
"""What stands before a definition and belongs to it."""

_WRAPS = 6
"""Nodes that may lie round a definition: `export`, `template`, a list of one."""
_STEP_LETTERS = 100
_SIGNATURE_LETTERS = 240


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """Something that has a name: a class, a function, a table."""

    node: "Node"
    step: str
    """How it begins up to its name, such as `class Foo`."""
    signature: str
    """How it begins up to its body, such as `def bar(self, size: int) -> str`."""


def leads(node: "Node") -> bool:
    """Return whether a node belongs to what stands below it: a comment, an attribute."""
    return _LEADING.fullmatch(node.type) is not None


def is_body(node: "Node") -> bool:
    """Return whether a node holds the statements or the members of a definition."""
    return _BODY.fullmatch(node.type) is not None


def defined(node: "Node") -> Definition | None:
    """Return what a node defines, also where it is wrapped in something that adds little."""
    found: Node | None = node
    for _ in range(_WRAPS):
        if found is None:
            break
        if (made := _definition(found)) is not None:
            return made
        found = _wrapped(found)
    return None


def _wrapped(node: "Node") -> "Node | None":
    """Return the one node that matters in another, if there is one."""
    if node.named_child_count > _WRAPS:
        return None
    inner = [child for child in node.named_children if not leads(child)]
    if node.type == "template_declaration":
        return inner[-1] if inner else None
    return inner[0] if len(inner) == 1 else None


def _definition(node: "Node") -> Definition | None:
    if not node.is_named:
        return None
    if _BINDING.fullmatch(node.type):
        return _bound(node)
    if not _DEFINITION.fullmatch(node.type) or _NO_DEFINITION.fullmatch(node.type):
        return None
    body = _body(node)
    end = _name_end(node, node.end_byte if body is None else body.start_byte)
    if end is None and body is None:
        return None
    return _made(node, body, end)


def _bound(node: "Node") -> Definition | None:
    """Return a function that is given a name by an assignment."""
    fields = [node.child_by_field_name(name) for name in ("name", "left", "key", "property")]
    left = next((field for field in fields if field is not None), None)
    right = node.child_by_field_name("value") or node.child_by_field_name("right")
    if left is None and right is None and node.named_child_count == 2:
        left, right = node.named_children  # without fields, as in Lua
        right = right.named_child(0) if right.named_child_count == 1 else right
    if left is None or right is None or not _FUNCTION.fullmatch(right.type):
        return None
    return _made(node, _body(right), left.end_byte)


def _made(node: "Node", body: "Node | None", name_end: int | None) -> Definition:
    start = _behind_leading(node)
    body_start = node.end_byte if body is None else body.start_byte
    return Definition(
        node=node,
        step=_said(node, start, name_end or body_start, _STEP_LETTERS),
        signature=_said(node, start, body_start, _SIGNATURE_LETTERS),
    )


def _said(node: "Node", start: int, end: int, letters: int) -> str:
    """Return some source of a node as one line."""
    source = node.text or b""
    start -= node.start_byte
    words = source[start : min(end - node.start_byte, start + 4 * letters)]
    line = " ".join(words.decode(errors="ignore").split()).rstrip(" {:=(<")
    return line if len(line) <= letters else line[: letters - 1] + "…"


def _body(node: "Node") -> "Node | None":
    body = node.child_by_field_name("body")
    if body is None:
        body = next((child for child in node.named_children if is_body(child)), None)
    return body


def _name_end(node: "Node", body_start: int) -> int | None:
    """Return where the name of a definition ends."""
    name = node.child_by_field_name("name")
    declarator = node.child_by_field_name("declarator")
    while name is None and declarator is not None:
        inner = declarator.child_by_field_name("declarator")
        name, declarator = (declarator if inner is None else None), inner
    if name is None and node.type not in _NAMELESS:
        heads = (child for child in node.named_children if child.end_byte <= body_start)
        name = next((child for child in heads if _NAME.fullmatch(child.type)), None)
    return None if name is None else name.end_byte


def _behind_leading(node: "Node") -> int:
    """Return where a definition itself begins: behind the annotations within it."""
    start = node.start_byte
    for child in node.children:
        if child.type == "modifiers":
            for inner in child.children:
                start = inner.end_byte if leads(inner) else start
        elif not leads(child):
            break
        else:
            start = child.end_byte
    return start
