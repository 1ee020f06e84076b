"""openapi.yaml as plain data: where everything stands, and what each part of it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import yaml

Where = tuple[str | int, ...]


Mark = tuple[int, int]


# What stands where in OpenAPI, as member:kind of its value. A star means a mapping or list of that
# kind, a dot every member. Free text and free values (x-, example) are not in here.
_PLACES = {
    kind: dict(pair.split(":") for pair in pairs.split())
    for kind, pairs in {
        "document": "paths:path* webhooks:path* components:components",
        "components": "schemas:schema* responses:response* parameters:parameter* links:link* "
        "examples:example* requestBodies:body* headers:header* callbacks:callback* "
        "pathItems:path* securitySchemes:scheme*",
        "path": "parameters:parameter* get:operation put:operation post:operation "
        "delete:operation options:operation head:operation patch:operation trace:operation",
        "operation": "parameters:parameter* requestBody:body responses:response* "
        "callbacks:callback*",
        "callback": ".:path",
        "body": "content:media*",
        "response": "content:media* headers:header* links:link*",
        "parameter": "schema:schema content:media* examples:example*",
        "header": "schema:schema content:media* examples:example*",
        "media": "schema:schema examples:example* encoding:encoding*",
        "encoding": "headers:header*",
        "schema": "properties:schema* patternProperties:schema* $defs:schema* allOf:schema* "
        "anyOf:schema* oneOf:schema* prefixItems:schema* dependentSchemas:schema* not:schema "
        "items:schema contains:schema if:schema then:schema else:schema propertyNames:schema "
        "additionalProperties:schema unevaluatedProperties:schema unevaluatedItems:schema",
    }.items()
}


class SpecError(Exception):
    """The document can't be used. The text is one line: where, what is wrong, what to do."""


class Trouble(NamedTuple):
    """One mistake: where it stands, and what it is."""

    where: Where
    what: str


class Source:
    """A YAML file as plain data, with the position of every key and item.

    PyYAML reads it, as it does for the mock server: one reader, one meaning of an unquoted `no`.
    """

    def __init__(self, file: Path) -> None:
        """Read the file; `troubles` is what YAML has and JSON has not."""
        self.file = file
        self.marks: dict[Where, Mark] = {(): (1, 1)}
        self.troubles: list[Trouble] = []
        self._scalars = yaml.constructor.SafeConstructor()
        text = ""
        try:
            text = file.read_bytes().decode()
            node = _compose(text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SpecError(self.line(*_unreadable(error, text))) from error
        self.data: Any = self._read(node, (), ()) if node else None

    def line(self, mark: Mark, where: str, what: str) -> str:
        """Write a mistake as one line of bearable length."""
        what = " ".join(what.split())
        if len(what) > 200:
            what = f"{what[:100]} ... {what[-95:]}"
        return f"{self.file}:{mark[0]}:{mark[1]}: {' '.join(where.split())}: {what}"

    def _read(self, node: yaml.Node, where: Where, above: tuple[yaml.Node, ...]) -> Any:
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        if any(node is outer for outer in above):
            self.troubles.append(Trouble(where, "is an alias of what it stands in: write it out"))
        elif isinstance(node, yaml.MappingNode) and tag == "map":
            return self._read_mapping(node, where, (*above, node))
        elif isinstance(node, yaml.SequenceNode) and tag == "seq":
            items = [((*where, index), item) for index, item in enumerate(node.value)]
            # An alias has the position of its anchor; its list is nearer.
            for place, item in items:
                known = _start(item) > _start(node)
                self.marks[place] = _start(item) if known else self.marks[where]
            return [self._read(item, place, (*above, node)) for place, item in items]
        elif tag in ("str", "int", "float", "bool", "null"):
            try:
                return self._scalars.construct_object(node)
            except (KeyError, ValueError):
                self.troubles.append(Trouble(where, f'"{node.value}" is no {tag}: mend its tag'))
        else:
            what = f"reads as {tag}, which JSON does not have: quote it if it is text"
            self.troubles.append(Trouble(where, what))
        return None

    def _read_mapping(
        self, node: yaml.MappingNode, where: Where, above: tuple[yaml.Node, ...]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            place = (*where, name)
            if name in result:
                what = f'"{name}" stands in line {self.marks[place][0]} already: keep one'
                self.troubles.append(Trouble(place, what))
            if not key.tag.endswith(":str"):
                what = f"the key {name} reads as {key.tag.rpartition(':')[2]}, not text: quote it"
                self.troubles.append(Trouble(place, what))
            self.marks[place] = _start(key)
            result[name] = self._read(value, place, above)
        return result


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:  # The slow reader tells more about a mistake.
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _start(node: yaml.Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _unreadable(error: Exception, text: str) -> tuple[Mark, str, str]:
    if isinstance(error, OSError):
        return (1, 1), "file", f"can't be read ({error.strerror}): name a file that can"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark.line + 1, error.problem_mark.column + 1
        begun = f" from line {error.context_mark.line + 1}" if error.context_mark else ""
        context = f"{error.context}{begun}: " if error.context else ""
        todo = "indent with spaces" if "'\\t'" in str(error.problem) else "mend the syntax"
        return mark, "YAML", f"{context}{error.problem}: {todo}"
    what = "holds a character that YAML does not allow: remove it"
    if isinstance(error, UnicodeDecodeError):
        text, what = error.object[: error.start].decode(), "is not UTF-8 here: save it as UTF-8"
    elif isinstance(error, yaml.reader.ReaderError):
        text = text[: error.position]
    return (text.count("\n") + 1, len(text) - text.rfind("\n")), "file", what


def dotted(where: Where) -> str:
    """Write a place for people: `paths./Accounts.post.parameters[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return "".join(steps).removeprefix(".") or "document"


def at(document: Any, where: Where) -> Any:
    """Return what stands at a place."""
    for step in where:
        document = document[step]
    return document


def target(reference: str) -> Where:
    """Return the place that a reference into the same document names."""
    steps = reference.removeprefix("#/").split("/")
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in steps)


def resolve(document: Any, where: Where) -> Where:
    """Follow a place through references, as far as it exists."""
    here: Where = ()
    for step in where:
        node = at(document, here)
        if isinstance(node, dict) and str(step) not in node and "$ref" in node:
            here = follow(document, here)
            node = at(document, here)
        if isinstance(node, dict) and str(step) in node:
            here = (*here, str(step))
        elif isinstance(node, list) and isinstance(step, int):
            here = (*here, step)
        else:
            break
    return here


def follow(document: Any, where: Where) -> Where:
    """Return the place where a reference ends, or the same place if there is none."""
    node = at(document, where)
    refers = isinstance(node, dict) and "$ref" in node
    return follow(document, target(node["$ref"])) if refers else where


def resolved(document: Any, node: dict[str, Any]) -> dict[str, Any]:
    """Return the part that a node refers to, or the node itself if it is not a reference."""
    while "$ref" in node:
        node = at(document, target(node["$ref"]))
    return node


def nodes(
    node: Any, kind: str = "document", where: Where = ()
) -> Iterator[tuple[str, Where, dict[str, Any]]]:
    """Walk over the parts that OpenAPI gives a meaning: kind, place, value."""
    if not isinstance(node, dict):
        return
    yield kind, where, node
    for child, place, value in members(node, kind, where):
        yield from nodes(value, child, place)


def circles(document: Any, *keywords: str, classes: bool = True) -> Iterator[Where]:
    """Find the references that lead back to themselves through nothing but these keywords.

    Without `classes`, a reference to an object leads nowhere.
    """
    steps: dict[Where, list[Where]] = {}
    references: dict[Where, Where] = {}
    for kind, where, node in nodes(document):
        inner = members(node, kind, where)
        steps[where] = [place for _, place, _ in inner if place[len(where)] in keywords]
        if str(node.get("$ref", "")).startswith("#/"):
            references[where] = target(node["$ref"])
    for where, end in list(references.items()):
        found = at(document, end) if not classes else {}
        if found.keys() & {"properties", "allOf"} or found.get("type") == "object":
            del references[where]
        else:
            steps[where].append(end)
    for where, end in references.items():
        seen, pending = {where}, [end]
        while pending and pending[-1] != where:
            here = pending.pop()
            pending += steps.get(here, ()) if here not in seen else ()
            seen.add(here)
        if pending:
            yield where


def members(node: dict[str, Any], kind: str, where: Where) -> Iterator[tuple[str, Where, Any]]:
    """List what stands in a part and has a meaning of its own: kind, place, value."""
    places = _PLACES.get(kind, {})
    for name, value in node.items():
        child = places.get(name) or places.get(".", "")
        if not child.endswith("*"):
            yield from [(child, (*where, name), value)] if child else ()
            continue
        child = child.removesuffix("*")
        parts = value if isinstance(value, dict) else dict(enumerate(_list(value)))
        for key, item in parts.items():
            if child == "schema" or not str(key).startswith("x-"):
                yield child, (*where, name, key), item


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
