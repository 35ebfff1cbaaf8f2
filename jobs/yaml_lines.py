"""A YAML text to plain values, and the line on which each of them stands.

Read as YAML 1.2 does: ``1:30`` and ``2026-11-22`` are text, ``yes`` is a word, and so is every key,
``1001`` too. A key that stands twice is an error. Anchors, aliases and ``<<`` work. Nothing here
knows what the values are for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml  # type: ignore[import-untyped]

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Way: TypeAlias = "tuple[str | int, ...]"

_MOST = 100_000
"""Values of a text; aliases of aliases could make any number."""
_TAG = "tag:yaml.org,2002:"
_RULES = (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+", [*"-+0123456789"]),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.?[0-9]*)(?:[eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
)
"""YAML 1.2, section 10.3.2, but for octal and hexadecimal numbers, infinity and not-a-number."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that is wrong."""

    line: int
    """from 1; 0 where there is none"""
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """What was read."""

    value: Value = None
    complaints: tuple[Complaint, ...] = ()
    known: Mapping[Way, int] = field(default_factory=dict)
    """by the way to a value, the line of its key, or of itself in a list"""

    def of(self, path: Way) -> int:
        """The line of a value, or of the nearest one around it."""
        while path and path not in self.known:
            path = path[:-1]
        return self.known.get(path, 1)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Knows the rules above and no others."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _name, _rule, _first in _RULES:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_rule})\Z"), _first)


def read_lines(text: str) -> Lines:
    """Read a text; what is wrong with it as YAML is among the complaints.

    >>> read_lines("a: {1001: 0.5}").value
    {'a': {'1001': 0.5}}
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "no YAML"
        return Lines(complaints=(Complaint(mark.line + 1 if mark else 0, f"no YAML: {said}"),))
    except yaml.YAMLError as error:
        return Lines(complaints=(Complaint(0, f"no YAML: {str(error).splitlines()[0]}"),))
    if node is None:
        return Lines(complaints=(Complaint(1, "there is nothing in it"),))
    reading = _Reading()
    try:
        value = reading.value(node, ())
    except RecursionError:
        return Lines(complaints=(Complaint(1, "values lie too deep in one another"),))
    return Lines(value, tuple(reading.complaints), reading.lines)


class _Reading:
    """Nodes to values."""

    def __init__(self) -> None:
        self.lines: dict[Way, int] = {}
        self.complaints: list[Complaint] = []
        self._within: list[yaml.Node] = []
        self._count = 0

    def value(self, node: yaml.Node, path: Way) -> Value:
        self._count += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node in self._within or self._count > _MOST:
            if node in self._within:
                self._wrong(node, "this refers to itself")
            elif self._count == _MOST + 1:
                self._wrong(node, f"these are more than {_MOST} values")
            return None
        self._within.append(node)
        try:
            return self._read(node, path)
        finally:
            self._within.pop()

    def _read(self, node: yaml.Node, path: Way) -> Value:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*path, i)) for i, one in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Way) -> dict[str, Value]:
        found: dict[str, Value] = {}
        own: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, "a key has to be one word")
            elif key.value == "<<":
                found = self._merged(value, path) | found
            elif key.value in own:
                self._wrong(key, f"{key.value!r} stands here twice")
            else:
                own.add(key.value)
                self.lines[(*path, key.value)] = key.start_mark.line + 1
                found[key.value] = self.value(value, (*path, key.value))
        return found

    def _merged(self, node: yaml.Node, path: Way) -> dict[str, Value]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Value] = {}
        for one in nodes:
            value = self.value(one, path)
            if isinstance(value, dict):
                found = value | found
            else:
                self._wrong(one, "<< takes a mapping")
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Value:
        text = str(node.value)
        match str(node.tag).removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "str":
                return text
        self._wrong(node, f"{node.tag} is no value here")
        return None

    def _wrong(self, node: yaml.Node, text: str) -> None:
        self.complaints.append(Complaint(node.start_mark.line + 1, text))
