"""What changed between two versions of the contract, and what it means for those who call.

An operation is known by its tag and operationId, since callers write these; a field by its name.
The order is that of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contract_diff.schemas import Change, Schemas, marks, new_argument, retired, sides

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Of the kinds of a reply, the client reads the first one that it knows.
_READ = re.compile(r"text/.*|application/(octet-stream|json|.*\+json)(;.*)?")


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """List what changed in the contract, breaking or not."""
    return list(dict.fromkeys(_Comparison(old, new).document()))


class _Comparison:
    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._documents = (old, new)
        self._schemas = Schemas(old, new)

    def document(self) -> Iterator[Change]:
        old, new = self._documents
        servers = [_servers(document) for document in (old, new)]
        urls = [addresses[0] for addresses in servers]
        if urls[0] != urls[1]:
            what = f"{' became '.join(urls)}: the client takes its path, callers name the host"
            yield Change("servers", "changed", what, False, on_wire=True)
        gone, fresh, _ = sides(*(addresses[1:] for addresses in servers))
        for kind, others in (("removed", gone), ("added", fresh)):
            for url in others:
                yield Change("servers", kind, f"{url}, which callers can give as the host", False)
        before, after = _operations(old), _operations(new)
        gone, fresh, kept = sides(before, after)
        for name in gone:
            yield Change(name, "removed", "the operation is gone", True)
        for name in fresh:
            yield Change(name, "added", "a new operation", False)
        for name in kept:
            yield from self._operation(name, before[name], after[name])
        for table, compare in (("codes", self._codes), ("categories", self._statuses)):
            yield from compare(_errors(old, table), _errors(new, table))

    def _codes(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        for code in dict.fromkeys((*old, *new)):
            where = f"error code {code}"
            if code not in old:
                yield Change(where, "added", f"category {new[code].get('category')}", False)
            elif code not in new:
                yield Change(where, "removed", "its category is that of the status now", True)
            elif old[code].get("category") != new[code].get("category"):
                words = f"category {old[code].get('category')} became {new[code].get('category')}"
                yield Change(where, "changed", words, "category" in old[code])

    def _statuses(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        before, after = (
            {status: name for name, category in found.items() for status in category["statuses"]}
            for found in (old, new)
        )
        for status in dict.fromkeys((*before, *after)):
            names = before.get(status, "none"), after.get(status, "none")
            if names[0] != names[1]:
                what = f"category {' became '.join(names)}, where a reply has no known code"
                yield Change(f"status {status}", "changed", what, True)

    def _operation(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        if (old.method, old.path) != (new.method, new.path):
            what = f"{old.method.upper()} {old.path} became {new.method.upper()} {new.path}"
            yield Change(name, "changed", what, False, on_wire=True)
        yield from retired(name, old.raw, new.raw)
        yield from _with_moves(
            list(self._parameters(name, old, new)), list(self._body(name, old, new))
        )
        yield from self._responses(name, old, new)
        if old.security != new.security:
            what = "the credentials that it asks for"
            yield Change(name, "changed", what, False, on_wire=True)
        yield from self._callbacks(name, old.raw, new.raw)

    def _parameters(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        before, after = self._declared(0, old), self._declared(1, new)
        gone, fresh, kept = sides(before, after)
        for parameter in gone:
            yield Change(f"{name}: {parameter}", "removed", "the argument is gone", True)
        for parameter in fresh:
            yield new_argument(f"{name}: {parameter}", bool(after[parameter].get("required")))
        for parameter in kept:
            where, one, other = f"{name}: {parameter}", before[parameter], after[parameter]
            if one["in"] != other["in"]:
                what = f"goes into the {other['in']}, not the {one['in']}"
                yield Change(where, "changed", what, False, on_wire=True)
            for key in ("style", "explode"):
                if one.get(key) != other.get(key):
                    yield Change(where, "changed", f"{key} on the wire", False, on_wire=True)
            yield from self._declaration(where, one, other, True)

    def _declaration(
        self, where: str, old: dict[str, Any], new: dict[str, Any], sent: bool
    ) -> Iterator[Change]:
        """Compare what a parameter, which is sent, or a header of a reply says of its value."""
        yield from retired(where, old, new)
        yield from marks(where, bool(old.get("required")), bool(new.get("required")), sent)
        yield from self._schemas.compare(where, old.get("schema", {}), new.get("schema", {}), sent)

    def _declared(self, side: int, operation: _Operation) -> dict[str, dict[str, Any]]:
        nodes = (self._schemas.resolved(side, node) for node in operation.parameters)
        return {node["name"]: node for node in nodes}

    def _body(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        one = self._schemas.resolved(0, old.raw.get("requestBody", {}))
        other = self._schemas.resolved(1, new.raw.get("requestBody", {}))
        if not one or not other:
            if one or other:
                required = bool(other.get("required"))
                what = "the body of the request"
                yield Change(name, "added" if other else "removed", what, bool(one) or required)
            return
        yield from marks(
            f"{name}: body", bool(one.get("required")), bool(other.get("required")), True
        )
        before, after = one.get("content", {}), other.get("content", {})
        if list(before) != list(after):
            what = f"{', '.join(before)} became {', '.join(after)}"
            several = len(before) > 1 or len(after) > 1
            gone = bool(before.keys() - after.keys()) and several
            yield Change(f"{name}: body", "changed", what, gone, on_wire=True)
        flat = self._is_flat(0, one), self._is_flat(1, other)
        if flat[0] != flat[1]:
            how = "as one argument, `body`", "as arguments of their own"
            what = f"its fields are given {how[flat[1]]}, no longer {how[flat[0]]}"
            yield Change(f"{name}: body", "changed", what, True)
        pairs = [(before[kind], after[kind]) for kind in before if kind in after]
        if not pairs and before and after:
            pairs = [(next(iter(before.values())), next(iter(after.values())))]
        for first, second in pairs:
            schemas = first.get("schema", {}), second.get("schema", {})
            yield from self._schemas.compare(name, *schemas, True)

    def _is_flat(self, side: int, body: dict[str, Any]) -> bool:
        """Tell whether callers give the fields of a body one by one."""
        if not body.get("required") or len(body.get("content", {})) != 1:
            return False
        (media,) = body["content"].values()
        schema = self._schemas.merged(side, media.get("schema", {}))
        return "properties" in schema or schema.get("type") == "object"

    def _responses(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        before, after = old.raw.get("responses", {}), new.raw.get("responses", {})
        gone, fresh, kept = sides(before, after)
        for status in gone:
            success = status.startswith("2")
            yield Change(f"{name}: reply {status}", "removed", "no longer documented", success)
        for status in fresh:
            success = status.startswith("2")
            yield Change(f"{name}: reply {status}", "added", "newly documented", success)
        for status in kept:
            where = f"{name}: reply {status}"
            one = self._schemas.resolved(0, before[status])
            other = self._schemas.resolved(1, after[status])
            contents = one.get("content", {}), other.get("content", {})
            yield from self._reply(where, *contents, status.startswith("2"))
            yield from self._headers(where, one.get("headers", {}), other.get("headers", {}))

    def _headers(
        self, where: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[Change]:
        before, after = (
            {name.lower(): self._schemas.resolved(side, node) for name, node in found.items()}
            for side, found in enumerate((old, new))
        )
        gone, fresh, kept = sides(before, after)
        for name in gone:
            yield Change(f"{where}: header {name}", "removed", "no longer documented", True)
        for name in fresh:
            yield Change(f"{where}: header {name}", "added", "newly documented", False)
        for name in kept:
            place = f"{where}: header {name}"
            yield from self._declaration(place, before[name], after[name], False)

    def _reply(
        self, where: str, old: dict[str, Any], new: dict[str, Any], success: bool
    ) -> Iterator[Change]:
        read = [next(filter(_READ.fullmatch, content), "") for content in (old, new)]
        if list(old) != list(new):
            what = f"{', '.join(old) or 'nothing'} became {', '.join(new) or 'nothing'}"
            if read[0] != read[1]:
                what += f"; the client reads {read[1] or 'nothing'} from now on"
                breaking = success or bool(old)
            else:
                # It asks for JSON alone; where it reads text or bytes, the server may choose.
                what += f"; the client goes on with {read[0]}"
                breaking = "json" not in read[0] and bool(new.keys() - old.keys())
            yield Change(where, "changed", what, breaking, on_wire=True)
        if read[0] == read[1] != "":
            first, second = old[read[0]].get("schema", {}), new[read[0]].get("schema", {})
            yield from self._schemas.compare(where, first, second, False)

    def _callbacks(
        self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[Change]:
        before, after = _callbacks(old), _callbacks(new)
        gone, fresh, kept = sides(before, after)
        for callback in gone:
            yield Change(f"{name}: callback {callback}", "removed", "no longer documented", True)
        for callback in fresh:
            yield Change(f"{name}: callback {callback}", "added", "newly documented", False)
        for callback in kept:
            where = f"{name}: callback {callback}"
            yield from self._called(where, before[callback], after[callback])

    def _called(self, where: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        """Compare what the provider sends to a callback."""
        before, after = self._declared(0, old), self._declared(1, new)
        gone, fresh, kept = sides(before, after)
        for parameter in gone:
            yield Change(f"{where}: {parameter}", "removed", "the parameter is gone", True)
        for parameter in fresh:
            yield Change(f"{where}: {parameter}", "added", "a new parameter", False)
        pairs = [
            (f"{where}: {parameter}", before[parameter], after[parameter]) for parameter in kept
        ]
        bodies = (
            self._schemas.resolved(side, operation.raw.get("requestBody", {})).get("content", {})
            for side, operation in enumerate((old, new))
        )
        one, other = bodies
        pairs += [(where, one[kind], other[kind]) for kind in sides(one, other)[2]]
        for place, first, second in pairs:
            schemas = first.get("schema", {}), second.get("schema", {})
            yield from self._schemas.compare(place, *schemas, False)


def _with_moves(parameters: list[Change], body: list[Change]) -> Iterator[Change]:
    """Tell of a parameter that became a field of the body, or the other way, as one change."""
    sides = [{(change.where, change.kind) for change in found} for found in (parameters, body)]
    for mine, others, what in (
        (parameters, sides[1], "a field of the body now, no parameter"),
        (body, sides[0], "a parameter now, no field of the body"),
    ):
        for change in mine:
            if change.kind == "removed" and (change.where, "added") in others:
                yield Change(change.where, "changed", what, True, on_wire=True)
            elif change.kind != "added" or (change.where, "removed") not in others:
                yield change


class _Operation(NamedTuple):
    path: str
    method: str
    raw: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]
    security: Any


def _servers(document: dict[str, Any]) -> list[str]:
    """Give the address of each server, each variable with its default."""
    urls = []
    for server in document.get("servers") or [{"url": "/"}]:
        url = str(server["url"])
        for name, variable in server.get("variables", {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default")))
        urls.append(url)
    return urls


def _operations(document: dict[str, Any]) -> dict[str, _Operation]:
    found = (
        _operation(path, item, method)
        for path, item in document.get("paths", {}).items()
        for method in item
        if method in _METHODS
    )
    return {f"{known.raw['tags'][0]}.{known.raw['operationId']}": known for known in found}


def _operation(path: str, item: dict[str, Any], method: str) -> _Operation:
    raw = item[method]
    parameters = (*item.get("parameters", ()), *raw.get("parameters", ()))
    return _Operation(path, method, raw, parameters, raw.get("security"))


def _callbacks(raw: Mapping[str, Any]) -> dict[str, _Operation]:
    return {
        item[method].get("operationId", f"{name} {method}"): _operation(path, item, method)
        for name, callback in raw.get("callbacks", {}).items()
        for path, item in callback.items()
        for method in item
        if method in _METHODS
    }


def _errors(document: dict[str, Any], table: str) -> dict[str, Any]:
    schemas = document.get("components", {}).get("schemas", {})
    found: dict[str, Any] = schemas.get("Error", {}).get(f"x-error-{table}", {})
    return found
