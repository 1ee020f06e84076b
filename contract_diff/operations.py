"""Compare two versions of the contract, and say what each difference means for callers.

An operation is known by its tag and operationId, which callers write; a field by its name. Changes
have the order of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from codegen.document import Pointer, at, merged, nodes, parameters_of, resolved
from contract_diff.schemas import (
    Change,
    Changes,
    SchemaComparison,
    became,
    deprecation,
    paired,
    presence,
    unpaired,
)

Node = dict[str, Any]
# Of the content types of a reply, the client reads the first that matches.
_READABLE = re.compile(r"text/.*|application/(octet-stream|json|.*\+json)(;.*)?")

_COMPARED = {"digits": "by digits", "exact": "exactly"}


class Operation(NamedTuple):
    """An operation or callback, its references resolved."""

    where: Pointer
    raw: Node
    parameters: dict[str, Node]
    body: Node
    replies: dict[str, Node]
    is_flat: bool
    """Whether callers pass the fields of the body one by one."""


def operations(document: Node) -> dict[str, Operation]:
    """Find the operations of a contract, as `tag.operationId`."""
    paths = {"paths": document.get("paths", {})}
    found = [o for o in _operations(document, paths, "document", ()) if len(o.where) == 3]
    return {f"{each.raw['tags'][0]}.{each.raw['operationId']}": each for each in found}


def _operations(document: Node, node: Node, kind: str, start: Pointer) -> Iterator[Operation]:
    for inner, where, raw in nodes(node, kind, start):
        if inner == "operation" and where != start:
            found = (at(document, end) for _, end in parameters_of(document, where))
            parameters = {parameter["name"]: parameter for parameter in found}
            replies = {k: resolved(document, v) for k, v in raw.get("responses", {}).items()}
            body = resolved(document, raw.get("requestBody", {}))
            medias = list(body.get("content", {}).values())
            schema = merged(document, medias[0].get("schema", {})) if len(medias) == 1 else {}
            is_object = "properties" in schema or schema.get("type") == "object"
            is_flat = bool(body.get("required")) and is_object
            yield Operation(where, raw, parameters, body, replies, is_flat)


def _callbacks(document: Node, operation: Operation) -> dict[str, Operation]:
    found = _operations(document, operation.raw, "operation", operation.where)
    return {
        each.raw.get("operationId", f"{each.where[-3]} {each.where[-1]}"): each for each in found
    }


def changes(old: Node, new: Node) -> list[Change]:
    """List what changed in the contract, breaking or not."""
    return list(dict.fromkeys(_Comparison(old, new).document()))


class _Comparison(SchemaComparison):
    def document(self) -> Changes:
        old, new = self.documents
        yield from _servers(old, new)
        before, after = operations(old), operations(new)
        yield from unpaired("", before, after, "operation")
        for name, one, other in paired("", before, after):
            yield from self._operation(name, one, other)
        yield from _error_categories(old, new)

    def _operation(self, name: str, old: Operation, new: Operation) -> Changes:
        routes = (f"{str(where[2]).upper()} {where[1]}" for where in (old.where, new.where))
        if old.where != new.where:
            yield Change(name, "changed", " became ".join(routes), False, on_wire=True)
        yield from deprecation(name, old.raw, new.raw)
        parameters = list(self._parameters(name, old, new))
        yield from _with_moves(parameters, list(self._body(name, old, new)))
        yield from self._replies(name, old.replies, new.replies)
        yield from _repeats(name, *(side.raw.get("x-reply-repeats", {}) for side in (old, new)))
        if old.raw.get("security") != new.raw.get("security"):
            yield Change(name, "changed", "its credentials", False, on_wire=True)
        before, after = map(_callbacks, self.documents, (old, new))
        yield from unpaired(f"{name}: callback ", before, after)
        for where, one, other in paired(f"{name}: callback ", before, after):
            yield from self._callback(where, one, other)

    def _parameters(self, name: str, old: Operation, new: Operation) -> Changes:
        before, after = old.parameters, new.parameters
        required = [key for key, parameter in after.items() if parameter.get("required")]
        yield from unpaired(f"{name}: ", before, after, "argument", required)
        for where, one, other in paired(f"{name}: ", before, after):
            if one["in"] != other["in"]:
                what = f"sent in the {other['in']}, not in the {one['in']}"
                yield Change(where, "changed", what, False, on_wire=True)
            for key in ("style", "explode"):
                if one.get(key) != other.get(key):
                    yield Change(where, "changed", f"{key} on the wire", False, on_wire=True)
            yield from self._declaration(where, one, other, True)

    def _declaration(self, where: str, old: Node, new: Node, sent: bool) -> Changes:
        """Compare the declarations of a parameter, which is sent, or of a header of a reply."""
        yield from deprecation(where, old, new)
        yield from presence(where, bool(old.get("required")), bool(new.get("required")), sent)
        yield from self.compare(where, old.get("schema", {}), new.get("schema", {}), sent)

    def _body(self, name: str, old: Operation, new: Operation) -> Changes:
        one, other = old.body, new.body
        required = bool(one.get("required")), bool(other.get("required"))
        if not one or not other:
            if one or other:
                kind = "added" if other else "removed"
                yield Change(name, kind, "the body of the request", bool(one) or required[1])
            return
        where = f"{name}: body"
        yield from presence(where, *required, True)
        before, after = one.get("content", {}), other.get("content", {})
        if list(before) != list(after):
            several = len(before) > 1 or len(after) > 1
            gone = bool(before.keys() - after.keys()) and several
            yield Change(where, "changed", _content_types(before, after), gone, on_wire=True)
        if old.is_flat != new.is_flat:
            how = "as one argument, `body`", "as arguments of their own"
            what = f"its fields are passed {how[new.is_flat]}, no longer {how[old.is_flat]}"
            yield Change(where, "changed", what, True)
        pairs = [(before[kind], after[kind]) for kind in before if kind in after]
        if not pairs and before and after:
            pairs = [(next(iter(before.values())), next(iter(after.values())))]
        for first, second in pairs:
            yield from self.compare(name, first.get("schema", {}), second.get("schema", {}), True)

    def _replies(self, name: str, before: Node, after: Node) -> Changes:
        prefix = f"{name}: reply "
        for change in unpaired(prefix, before, after):
            yield change._replace(breaking=change.where.startswith(f"{prefix}2"))
        for where, one, other in paired(prefix, before, after):
            success = where.startswith(f"{prefix}2")
            yield from self._reply(where, one.get("content", {}), other.get("content", {}), success)
            headers, new_headers = (
                {key.lower(): resolved(self.documents[side], node) for key, node in found.items()}
                for side, found in enumerate((one.get("headers", {}), other.get("headers", {})))
            )
            yield from unpaired(f"{where}: header ", headers, new_headers)
            for place, first, second in paired(f"{where}: header ", headers, new_headers):
                yield from self._declaration(place, first, second, False)

    def _reply(self, where: str, old: Node, new: Node, success: bool) -> Changes:
        read = [next(filter(_READABLE.fullmatch, content), "") for content in (old, new)]
        if list(old) != list(new):
            what = _content_types(old, new)
            if read[0] != read[1]:
                what += f"; the client now reads {read[1] or 'nothing'}"
                breaking = success or bool(old)
            else:
                # The client asks for JSON alone; of text or bytes the server may send any.
                what += f"; the client still reads {read[0] or 'nothing'}"
                breaking = "json" not in read[0] and bool(new.keys() - old.keys())
            yield Change(where, "changed", what, breaking, on_wire=True)
        if read[0] == read[1] != "":
            first, second = old[read[0]].get("schema", {}), new[read[0]].get("schema", {})
            yield from self.compare(where, first, second, False)

    def _callback(self, where: str, old: Operation, new: Operation) -> Changes:
        """Compare what the provider sends to a callback."""
        yield from unpaired(f"{where}: ", old.parameters, new.parameters, "parameter")
        one, other = (body.get("content", {}) for body in (old.body, new.body))
        pairs = paired(f"{where}: ", old.parameters, new.parameters)
        pairs += [(where, first, second) for _, first, second in paired("", one, other)]
        for place, first, second in pairs:
            schemas = first.get("schema", {}), second.get("schema", {})
            yield from self.compare(place, *schemas, False)


def _repeats(name: str, *sides: Node) -> Changes:
    """Compare which argument each member of a reply repeats."""
    for member in dict.fromkeys((*sides[0], *sides[1])):
        rules = [side.get(member) for side in sides]
        if rules[0] != rules[1]:
            words = (r and f"{r['argument']} (compared {_COMPARED[r['compare']]})" for r in rules)
            what = f"the argument that it must repeat: {became(*words)}"
            yield Change(f"{name}: reply: {member}", "changed", what, False, on_wire=True)


def _with_moves(parameters: list[Change], body: list[Change]) -> Changes:
    """Report a parameter that became a field of the body, or the reverse, as one change."""
    for mine, others, what in (
        (parameters, body, "now a field of the body, no longer a parameter"),
        (body, parameters, "now a parameter, no longer a field of the body"),
    ):
        kinds = {(change.where, change.kind) for change in others}
        for change in mine:
            if change.kind == "removed" and (change.where, "added") in kinds:
                yield Change(change.where, "changed", what, True, on_wire=True)
            elif change.kind != "added" or (change.where, "removed") not in kinds:
                yield change


def _servers(old: Node, new: Node) -> Changes:
    before, after = _server_urls(old), _server_urls(new)
    if before[0] != after[0]:
        what = f"{before[0]} became {after[0]}: the client takes its path, callers name the host"
        yield Change("servers", "changed", what, False, on_wire=True)
    for change in unpaired("", before[1:], after[1:], "server"):
        what = f"{change.where}, which callers can pass as the host"
        yield Change("servers", change.kind, what, False)


def _server_urls(document: Node) -> list[str]:
    """Write the URL of each server, with the default of each variable."""
    urls = []
    for server in document.get("servers") or [{"url": "/"}]:
        url = str(server["url"])
        for name, variable in server.get("variables", {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default")))
        urls.append(url)
    return urls


def _error_categories(old: Node, new: Node) -> Changes:
    before, after = _categories(old), _categories(new)
    for where in dict.fromkeys((*before, *after)):
        names = before.get(where), after.get(where)
        if names[0] != names[1]:
            kind = "added" if where not in before else "changed" if where in after else "removed"
            # A code without a category has that of its status.
            breaking = kind != "added" or where.startswith("status")
            yield Change(where, kind, f"category {became(*names)}", breaking)


def _categories(document: Node) -> dict[str, Any]:
    error = document.get("components", {}).get("schemas", {}).get("Error", {})
    codes, categories = (error.get(f"x-error-{name}", {}) for name in ("codes", "categories"))
    found = {f"error code {code}": known.get("category") for code, known in codes.items()}
    for name, category in categories.items():
        found |= {f"status {status}": name for status in category["statuses"]}
    return found


def _content_types(old: Node, new: Node) -> str:
    return became(", ".join(old) or "nothing", ", ".join(new) or "nothing")
