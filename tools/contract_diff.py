"""What changed between two versions of the contract, and what it means for those who call.

An operation is known by its tag and operationId, since callers write these; a field by its name.
In a request, asking for more breaks callers; in a reply, giving less does, or giving what their
code has no type for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from spec_source import at, target

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Which way a limit becomes tighter.
_LIMITS = {
    **dict.fromkeys(("minLength", "minimum", "exclusiveMinimum", "minItems"), 1),
    **dict.fromkeys(("maxLength", "maximum", "exclusiveMaximum", "maxItems"), -1),
}
# Formats that the client gives a Python type of their own.
_TYPED_FORMATS = {"date", "date-time", "binary"}


class Change(NamedTuple):
    """One change: where, what kind (added, removed, tightened, loosened, changed), in words."""

    where: str
    kind: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        """Write the change as one line."""
        return f"{self.where}: {self.kind}: {self.what}"


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """List what changed in the contract, breaking or not."""
    return list(_Comparison(old, new).document())


class _Comparison:
    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._documents = (old, new)

    def document(self) -> Iterator[Change]:
        old, new = self._documents
        if old.get("servers") != new.get("servers"):
            yield Change("servers", "changed", "requests go to another address", False)
        before, after = _operations(old), _operations(new)
        for name in before.keys() - after.keys():
            yield Change(name, "removed", "the operation is gone", True)
        for name in after.keys() - before.keys():
            yield Change(name, "added", "a new operation", False)
        for name in sorted(before.keys() & after.keys()):
            yield from self._operation(name, before[name], after[name])
        yield from self._codes(_codes(old), _codes(new))

    def _codes(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        for code in sorted(old.keys() | new.keys(), key=int):
            where = f"error code {code}"
            if code not in old:
                yield Change(where, "added", f"category {new[code].get('category')}", False)
            elif code not in new:
                yield Change(where, "removed", "its category is that of the status now", True)
            elif old[code].get("category") != new[code].get("category"):
                words = f"category {old[code].get('category')} became {new[code].get('category')}"
                yield Change(where, "changed", words, "category" in old[code])

    def _operation(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        if (old.method, old.path) != (new.method, new.path):
            what = f"{old.method.upper()} {old.path} became {new.method.upper()} {new.path}"
            yield Change(name, "changed", what, False)
        yield from self._parameters(name, old, new)
        yield from self._body(name, old, new)
        yield from self._responses(name, old, new)
        if old.security != new.security:
            yield Change(name, "changed", "the credentials that it asks for", False)
        yield from self._callbacks(name, old.raw, new.raw)

    def _parameters(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        before, after = self._declared(0, old), self._declared(1, new)
        for parameter in before.keys() - after.keys():
            yield Change(f"{name}: {parameter}", "removed", "the argument is gone", True)
        for parameter in sorted(after.keys() - before.keys()):
            yield self._new(f"{name}: {parameter}", bool(after[parameter].get("required")))
        for parameter in sorted(before.keys() & after.keys()):
            where, one, other = f"{name}: {parameter}", before[parameter], after[parameter]
            if one["in"] != other["in"]:
                what = f"goes into the {other['in']}, not the {one['in']}"
                yield Change(where, "changed", what, False)
            for key in ("style", "explode"):
                if one.get(key) != other.get(key):
                    yield Change(where, "changed", f"{key} on the wire", False)
            yield from _marks(where, bool(one.get("required")), bool(other.get("required")), True)
            yield from self._schema(where, one.get("schema", {}), other.get("schema", {}), True)

    def _declared(self, side: int, operation: _Operation) -> dict[str, dict[str, Any]]:
        nodes = (self._resolved(side, node) for node in operation.parameters)
        return {node["name"]: node for node in nodes}

    def _new(self, where: str, required: bool) -> Change:
        what = "a required argument" if required else "an optional argument"
        return Change(where, "added", what, required)

    def _body(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        one = self._resolved(0, old.raw.get("requestBody", {}))
        other = self._resolved(1, new.raw.get("requestBody", {}))
        if not one or not other:
            if one or other:
                required = bool(other.get("required"))
                what = "the body of the request"
                yield Change(name, "added" if other else "removed", what, bool(one) or required)
            return
        yield from _marks(
            f"{name}: body", bool(one.get("required")), bool(other.get("required")), True
        )
        before, after = one.get("content", {}), other.get("content", {})
        if before.keys() != after.keys():
            what = f"{', '.join(before)} became {', '.join(after)}"
            several = len(before) > 1 or len(after) > 1
            gone = bool(before.keys() - after.keys()) and several
            yield Change(f"{name}: body", "changed", what, gone)
        pairs = [(before[kind], after[kind]) for kind in before if kind in after]
        if not pairs and before and after:
            pairs = [(next(iter(before.values())), next(iter(after.values())))]
        for first, second in pairs:
            yield from self._schema(name, first.get("schema", {}), second.get("schema", {}), True)

    def _responses(self, name: str, old: _Operation, new: _Operation) -> Iterator[Change]:
        before, after = old.raw.get("responses", {}), new.raw.get("responses", {})
        for status in sorted(before.keys() - after.keys()):
            success = status.startswith("2")
            yield Change(f"{name}: reply {status}", "removed", "no longer documented", success)
        for status in sorted(after.keys() - before.keys()):
            success = status.startswith("2")
            yield Change(f"{name}: reply {status}", "added", "newly documented", success)
        for status in sorted(before.keys() & after.keys()):
            one = self._resolved(0, before[status]).get("content", {})
            other = self._resolved(1, after[status]).get("content", {})
            where = f"{name}: reply {status}"
            if one.keys() != other.keys():
                what = f"{', '.join(one) or 'nothing'} became {', '.join(other) or 'nothing'}"
                yield Change(where, "changed", what, status.startswith("2"))
            for kind in one.keys() & other.keys():
                first, second = one[kind].get("schema", {}), other[kind].get("schema", {})
                yield from self._schema(where, first, second, False)

    def _callbacks(
        self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[Change]:
        before, after = _callbacks(old), _callbacks(new)
        for callback in sorted(before.keys() | after.keys()):
            where = f"{name}: callback {callback}"
            if callback not in after or callback not in before:
                gone = callback in before
                what = "no longer documented" if gone else "newly documented"
                yield Change(where, "removed" if gone else "added", what, gone)
                continue
            one = self._resolved(0, before[callback].get("requestBody", {})).get("content", {})
            other = self._resolved(1, after[callback].get("requestBody", {})).get("content", {})
            for kind in one.keys() & other.keys():
                first, second = one[kind].get("schema", {}), other[kind].get("schema", {})
                yield from self._schema(where, first, second, False)

    def _schema(
        self, where: str, old: Any, new: Any, sent: bool, above: tuple[Any, ...] = ()
    ) -> Iterator[Change]:
        """Compare two schemas; `sent` says whether callers give the value or get it."""
        if any(old is outer or new is outer for outer in above):
            return
        above = (*above, old, new)
        one, other = self._merged(0, old), self._merged(1, new)
        yield from _types(where, one, other, sent)
        yield from _values(where, one, other, sent)
        for limit, direction in _LIMITS.items():
            yield from _limit(where, limit, one.get(limit), other.get(limit), direction, sent)
        for key in ("pattern", "multipleOf", "uniqueItems", "format"):
            typed = key == "format" and {one.get(key), other.get(key)} & _TYPED_FORMATS
            yield from _rule(where, key, one.get(key), other.get(key), sent, bool(typed))
        if one.get("default") != other.get("default") and sent:
            both = "default" in one and "default" in other
            what = f"default {one.get('default')!r} became {other.get('default')!r}"
            yield Change(where, "changed", what, both)
        for sign, key in (("[]", "items"), ("{}", "additionalProperties")):
            # Without the keyword, anything goes.
            first, second = (({} if (p := s.get(key, True)) is True else p) for s in (one, other))
            if (first or second) and first is not False and second is not False:
                yield from self._schema(f"{where}{sign}", first, second, sent, above)
        yield from self._members(where, one, other, sent, above)
        for key in ("anyOf", "oneOf"):
            yield from self._alternatives(where, one.get(key), other.get(key), sent, above)

    def _alternatives(
        self, where: str, old: Any, new: Any, sent: bool, above: tuple[Any, ...]
    ) -> Iterator[Change]:
        """Compare alternatives that are written alike, then what is left, in its order."""
        if old is None or new is None:
            if old != new:
                yield Change(where, "changed", "alternatives, where there were none, or none", True)
            return
        kept = [option for option in old if option in new]
        gone = [option for option in old if option not in new]
        fresh = [option for option in new if option not in old]
        for option in kept:
            yield from self._schema(where, option, option, sent, above)
        if len(gone) == len(fresh):
            for first, second in zip(gone, fresh, strict=True):
                yield from self._schema(where, first, second, sent, above)
        elif gone and fresh:
            yield Change(where, "changed", "the alternatives", True)
        elif gone:
            yield Change(where, "tightened", "an alternative is gone", sent)
        else:
            yield Change(where, "loosened", "an alternative more", not sent)

    def _members(
        self,
        where: str,
        old: dict[str, Any],
        new: dict[str, Any],
        sent: bool,
        above: tuple[Any, ...],
    ) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must, shall = old.get("required", ()), new.get("required", ())
        for name in sorted(before.keys() - after.keys()):
            what = "the argument is gone" if sent else "the member is gone"
            yield Change(f"{where}: {name}", "removed", what, True)
        for name in sorted(after.keys() - before.keys()):
            place = f"{where}: {name}"
            yield (
                self._new(place, name in shall)
                if sent
                else Change(place, "added", "a new member", False)
            )
        for name in sorted(before.keys() & after.keys()):
            place = f"{where}: {name}"
            yield from _marks(place, name in must, name in shall, sent)
            yield from self._schema(place, before[name], after[name], sent, above)
        if bool(old.get("additionalProperties", True)) != bool(
            new.get("additionalProperties", True)
        ):
            closed = new.get("additionalProperties") is False
            kind = "tightened" if closed else "loosened"
            what = "unknown members are refused" if closed else "unknown members are kept"
            yield Change(where, kind, what, closed)

    def _resolved(self, side: int, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = at(self._documents[side], target(node["$ref"]))
        return node

    def _merged(self, side: int, schema: Any) -> dict[str, Any]:
        """Bring a schema, its reference and its `allOf` together; the nearest words win."""
        if not isinstance(schema, dict):
            return {}
        merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        inner = list(schema.get("allOf", ()))
        if "$ref" in schema:
            inner.append(at(self._documents[side], target(schema["$ref"])))
        for part in inner:
            for key, value in self._merged(side, part).items():
                if key == "properties":
                    merged[key] = {**value, **merged.get(key, {})}
                elif key == "required":
                    merged[key] = [*merged.get(key, ()), *value]
                else:
                    merged.setdefault(key, value)
        return merged


class _Operation(NamedTuple):
    path: str
    method: str
    raw: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]
    security: Any


def _operations(document: dict[str, Any]) -> dict[str, _Operation]:
    found = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if raw := item.get(method):
                name = f"{raw['tags'][0]}.{raw['operationId']}"
                parameters = (*item.get("parameters", ()), *raw.get("parameters", ()))
                found[name] = _Operation(path, method, raw, parameters, raw.get("security"))
    return found


def _callbacks(raw: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation.get("operationId", f"{name} {method}"): operation
        for name, callback in raw.get("callbacks", {}).items()
        for item in callback.values()
        for method, operation in item.items()
        if method in _METHODS
    }


def _codes(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.get("components", {}).get("schemas", {})
    found: dict[str, Any] = schemas.get("Error", {}).get("x-error-codes", {})
    return found


def _marks(where: str, must: bool, shall: bool, sent: bool) -> Iterator[Change]:
    if must != shall:
        kind = ("tightened" if sent else "changed") if shall else "loosened"
        what = "required now" if shall else "no longer required"
        yield Change(where, kind, what, shall if sent else must)


def _types(where: str, old: dict[str, Any], new: dict[str, Any], sent: bool) -> Iterator[Change]:
    before, after = _kinds(old), _kinds(new)
    if before == after:
        return
    words = (" or ".join(sorted(kinds)) or "any" for kinds in (before, after))
    what = f"type {' became '.join(words)}"
    if not after or (before and before < _wider(after)):
        yield Change(where, "loosened", what, not sent)
    elif not before or after < _wider(before):
        yield Change(where, "tightened", what, sent)
    else:
        yield Change(where, "changed", what, True)


def _wider(kinds: set[str]) -> set[str]:
    """Add what a number can be."""
    return kinds | {"integer"} if "number" in kinds else kinds


def _kinds(schema: dict[str, Any]) -> set[str]:
    kinds = schema.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _values(where: str, old: dict[str, Any], new: dict[str, Any], sent: bool) -> Iterator[Change]:
    before, after = _allowed(old), _allowed(new)
    if before is None and after is not None:
        yield Change(where, "tightened", f"only {_listed(after)} from now on", sent)
    elif before is not None and after is None:
        yield Change(where, "loosened", "any value from now on", False)
    elif before is not None and after is not None:
        if gone := [value for value in before if value not in after]:
            yield Change(where, "tightened", f"{_listed(gone)} no longer allowed", sent)
        if fresh := [value for value in after if value not in before]:
            yield Change(where, "loosened", f"{_listed(fresh)} allowed too", False)


def _allowed(schema: dict[str, Any]) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _listed(values: list[Any]) -> str:
    return ", ".join(map(repr, values))


def _limit(
    where: str, name: str, old: Any, new: Any, direction: int, sent: bool
) -> Iterator[Change]:
    if old == new:
        return
    tighter = old is None or (new is not None and (new - old) * direction > 0)
    what = f"{name} {'none' if old is None else old} became {'none' if new is None else new}"
    yield Change(where, "tightened" if tighter else "loosened", what, tighter and sent)


def _rule(where: str, name: str, old: Any, new: Any, sent: bool, typed: bool) -> Iterator[Change]:
    if old == new:
        return
    what = f"{name} {old or 'none'} became {new or 'none'}"
    if old and new:
        yield Change(where, "changed", what, sent or typed)
    else:
        yield Change(where, "tightened" if new else "loosened", what, bool(new and sent) or typed)
