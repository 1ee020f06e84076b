"""Compare two versions of the contract, and say what each difference means for callers.

An operation is known by its tag and operationId, which callers write; a field by its name. Changes
have the order of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from codegen.document import merged, resolved
from contract_diff.schemas import (
    Change,
    Changes,
    SchemaComparison,
    deprecation,
    paired,
    presence,
    unpaired,
)

Node = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Of the content types of a reply, the client reads the first that matches.
_READABLE = re.compile(r"text/.*|application/(octet-stream|json|.*\+json)(;.*)?")


class Operation(NamedTuple):
    """An operation or callback, its references resolved."""

    path: str
    method: str
    raw: Node
    parameters: dict[str, Node]
    body: Node
    replies: dict[str, Node]
    is_flat: bool
    """Whether callers pass the fields of the body one by one."""


def operations(document: Node) -> dict[str, Operation]:
    """Find the operations of a contract, as `tag.operationId`."""
    return {
        f"{operation.raw['tags'][0]}.{operation.raw['operationId']}": operation
        for operation in _of_paths(document, document.get("paths", {}))
    }


def _of_paths(document: Node, paths: Node) -> Iterator[Operation]:
    for path, item in paths.items():
        for method in filter(_METHODS.__contains__, item):
            raw = item[method]
            nodes = (*item.get("parameters", ()), *raw.get("parameters", ()))
            parameters = {node["name"]: node for node in (resolved(document, n) for n in nodes)}
            replies = {
                status: resolved(document, reply)
                for status, reply in raw.get("responses", {}).items()
            }
            body = resolved(document, raw.get("requestBody", {}))
            medias = list(body.get("content", {}).values())
            schema = merged(document, medias[0].get("schema", {})) if len(medias) == 1 else {}
            is_object = "properties" in schema or schema.get("type") == "object"
            is_flat = bool(body.get("required")) and is_object
            yield Operation(path, method, raw, parameters, body, replies, is_flat)


def _callbacks(document: Node, raw: Node) -> dict[str, Operation]:
    return {
        operation.raw.get("operationId", f"{name} {operation.method}"): operation
        for name, callback in raw.get("callbacks", {}).items()
        for operation in _of_paths(document, callback)
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
        for name in paired(before, after):
            yield from self._operation(name, before[name], after[name])
        yield from _error_codes(_error_table(old, "codes"), _error_table(new, "codes"))
        tables = _error_table(old, "categories"), _error_table(new, "categories")
        yield from _error_statuses(*tables)

    def _operation(self, name: str, old: Operation, new: Operation) -> Changes:
        if (old.method, old.path) != (new.method, new.path):
            what = f"{old.method.upper()} {old.path} became {new.method.upper()} {new.path}"
            yield Change(name, "changed", what, False, on_wire=True)
        yield from deprecation(name, old.raw, new.raw)
        parameters = list(self._parameters(name, old, new))
        yield from _with_moves(parameters, list(self._body(name, old, new)))
        yield from self._replies(name, old.replies, new.replies)
        if old.raw.get("security") != new.raw.get("security"):
            yield Change(name, "changed", "its credentials", False, on_wire=True)
        before, after = map(_callbacks, self.documents, (old.raw, new.raw))
        yield from unpaired(f"{name}: callback ", before, after)
        for callback in paired(before, after):
            where = f"{name}: callback {callback}"
            yield from self._callback(where, before[callback], after[callback])

    def _parameters(self, name: str, old: Operation, new: Operation) -> Changes:
        before, after = old.parameters, new.parameters
        required = [key for key, parameter in after.items() if parameter.get("required")]
        yield from unpaired(f"{name}: ", before, after, "argument", required)
        for parameter in paired(before, after):
            where, one, other = f"{name}: {parameter}", before[parameter], after[parameter]
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
        for status in paired(before, after):
            where, success = f"{prefix}{status}", status.startswith("2")
            one, other = before[status], after[status]
            yield from self._reply(where, one.get("content", {}), other.get("content", {}), success)
            headers, new_headers = (
                {key.lower(): resolved(self.documents[side], node) for key, node in found.items()}
                for side, found in enumerate((one.get("headers", {}), other.get("headers", {})))
            )
            yield from unpaired(f"{where}: header ", headers, new_headers)
            for header in paired(headers, new_headers):
                place = f"{where}: header {header}"
                yield from self._declaration(place, headers[header], new_headers[header], False)

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
        before, after = old.parameters, new.parameters
        yield from unpaired(f"{where}: ", before, after, "parameter")
        pairs = [(f"{where}: {name}", before[name], after[name]) for name in paired(before, after)]
        one, other = (body.get("content", {}) for body in (old.body, new.body))
        pairs += [(where, one[kind], other[kind]) for kind in paired(one, other)]
        for place, first, second in pairs:
            schemas = first.get("schema", {}), second.get("schema", {})
            yield from self.compare(place, *schemas, False)


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


def _error_codes(old: Node, new: Node) -> Changes:
    for code in dict.fromkeys((*old, *new)):
        where = f"error code {code}"
        if code not in old:
            yield Change(where, "added", f"category {new[code].get('category')}", False)
        elif code not in new:
            yield Change(where, "removed", "it now has the category of its status", True)
        elif old[code].get("category") != new[code].get("category"):
            what = f"category {old[code].get('category')} became {new[code].get('category')}"
            yield Change(where, "changed", what, "category" in old[code])


def _error_statuses(old: Node, new: Node) -> Changes:
    before, after = (
        {status: name for name, category in table.items() for status in category["statuses"]}
        for table in (old, new)
    )
    for status in dict.fromkeys((*before, *after)):
        names = before.get(status, "none"), after.get(status, "none")
        if names[0] != names[1]:
            what = f"category {' became '.join(names)}, for replies without a known code"
            yield Change(f"status {status}", "changed", what, True)


def _error_table(document: Node, name: str) -> Node:
    schemas = document.get("components", {}).get("schemas", {})
    table: Node = schemas.get("Error", {}).get(f"x-error-{name}", {})
    return table


def _content_types(old: Node, new: Node) -> str:
    return f"{', '.join(old) or 'nothing'} became {', '.join(new) or 'nothing'}"
