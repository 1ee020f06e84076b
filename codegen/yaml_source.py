"""Read a YAML file as plain data, with the line and column of every key and item."""

import contextlib
import re
from pathlib import Path
from typing import Any

import yaml

from codegen.document import Pointer, Problem

Mark = tuple[int, int]


class SpecError(Exception):
    """The document cannot be used. One line says where, what is wrong and what to do."""


class Source:
    """A YAML file: its data, the position of each part, and what JSON could not express.

    PyYAML reads it, as it does for the mock server, so that an unquoted `no` means one thing.
    """

    def __init__(self, file: Path) -> None:
        """Read the file. Errors: `SpecError` if it is not YAML."""
        self.file = file
        self.marks: dict[Pointer, Mark] = {(): (1, 1)}
        self.problems: list[Problem] = []
        self.numbers: list[Pointer] = []  # Keys such as 200, which are taken for text.
        self._scalars = yaml.constructor.SafeConstructor()
        text = ""
        try:
            text = file.read_bytes().decode()
            node = _compose(text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SpecError(self.line(*_unreadable(error, text))) from error
        self.data: Any = self._read(node, (), ()) if node else None

    def line(self, mark: Mark, where: str, what: str) -> str:
        """Write a problem as one line of limited length."""
        what = " ".join(what.split())
        if len(what) > 200:
            what = f"{what[:100]} ... {what[-95:]}"
        return f"{self.file}:{mark[0]}:{mark[1]}: {' '.join(where.split())}: {what}"

    def _read(self, node: yaml.Node, where: Pointer, parents: tuple[yaml.Node, ...]) -> Any:
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        # In YAML 1.2, which OpenAPI asks for, a date and a time such as 18:00 are text.
        if tag == "timestamp" or (tag in ("int", "float") and ":" in node.value):
            return str(node.value)
        if any(node is parent for parent in parents):
            self.problems.append((where, "is an alias of a part that contains it: write it out"))
        elif isinstance(node, yaml.MappingNode) and tag == "map":
            return self._read_mapping(node, where, (*parents, node))
        elif isinstance(node, yaml.SequenceNode) and tag == "seq":
            for index, item in enumerate(node.value):
                # An alias has the position of its anchor; the list itself is nearer.
                is_alias = _start(item) <= _start(node)
                self.marks[*where, index] = self.marks[where] if is_alias else _start(item)
            items = enumerate(node.value)
            return [self._read(item, (*where, index), (*parents, node)) for index, item in items]
        elif tag in ("str", "int", "float", "bool", "null"):
            try:
                value = self._scalars.construct_object(node)
                return _joined(value) if tag == "str" else value
            except UnicodeError:
                self.problems.append((where, "holds half of a surrogate pair: write the character"))
            except (KeyError, ValueError):
                self.problems.append((where, f'"{node.value}" is not {tag}: correct its tag'))
        else:
            what = f"reads as {tag}, which JSON does not have: quote it if it is text"
            self.problems.append((where, what))
        return None

    def _read_mapping(
        self, node: yaml.MappingNode, where: Pointer, parents: tuple[yaml.Node, ...]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            with contextlib.suppress(UnicodeError):
                name = _joined(name)
            place = (*where, name)
            if name in result:
                what = f'"{name}" is already in line {self.marks[place][0]}: keep one'
                self.problems.append((place, what))
            if key.tag.endswith(":int") and re.fullmatch(r"0|[1-9]\d*", name):
                self.numbers.append(place)
            elif not key.tag.endswith(":str"):
                what = f"the key {name} reads as {key.tag.rpartition(':')[2]}, not text: quote it"
                self.problems.append((place, what))
            self.marks[place] = _start(key)
            result[name] = self._read(value, place, parents)
        return result


def _joined(text: str) -> str:
    """Join the two escapes by which JSON writes a character beyond U+FFFF."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:  # The reader in Python is slow, and says more about a mistake.
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _start(node: yaml.Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _unreadable(error: Exception, text: str) -> tuple[Mark, str, str]:
    if isinstance(error, OSError):
        return (1, 1), "file", f"cannot be read ({error.strerror}): name another file"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark.line + 1, error.problem_mark.column + 1
        begun = f" from line {error.context_mark.line + 1}" if error.context_mark else ""
        context = f"{error.context}{begun}: " if error.context else ""
        todo = "indent with spaces" if "'\\t'" in str(error.problem) else "correct the syntax"
        return mark, "YAML", f"{context}{error.problem}: {todo}"
    what = "contains a character that YAML does not allow: remove it"
    if isinstance(error, UnicodeDecodeError):
        text, what = error.object[: error.start].decode(), "is not UTF-8 here: save it as UTF-8"
    elif isinstance(error, yaml.reader.ReaderError):
        text = text[: error.position]
    return (text.count("\n") + 1, len(text) - text.rfind("\n")), "file", what
