"""What changed between two versions of a schema, and what it means for those who call.

In a request, asking for more breaks callers; in a reply, giving less does, or giving what their
code has no type for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from codegen.document import at, target

# Which way a limit becomes tighter.
_LIMITS = {
    **dict.fromkeys(("minLength", "minimum", "exclusiveMinimum", "minItems"), 1),
    **dict.fromkeys(("maxLength", "maximum", "exclusiveMaximum", "maxItems"), -1),
}
# Formats that the client gives a Python type of their own.
_TYPED_FORMATS = {"date", "date-time", "binary"}


class Change(NamedTuple):
    """One change: where, what kind (added, removed, tightened, loosened, changed), in words.

    `on_wire` says that the same call is sent, or its reply read, in another way from now on.
    """

    where: str
    kind: str
    what: str
    breaking: bool
    on_wire: bool = False

    def __str__(self) -> str:
        """Write the change as one line."""
        return f"{self.where}: {self.kind}: {self.what}"


class Schemas:
    """The schemas of two documents."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Take the documents that references lead into."""
        self._documents = (old, new)

    def compare(
        self, where: str, old: Any, new: Any, sent: bool, above: tuple[Any, ...] = ()
    ) -> Iterator[Change]:
        """Compare two schemas; `sent` says whether callers give the value or get it."""
        if any(old is outer or new is outer for outer in above):
            return
        above = (*above, old, new)
        one, other = self.merged(0, old), self.merged(1, new)
        yield from retired(where, one, other)
        yield from _types(where, one, other, sent)
        yield from _values(where, one, other, sent)
        for limit, direction in _LIMITS.items():
            yield from _limit(where, limit, one.get(limit), other.get(limit), direction, sent)
        for key in ("pattern", "multipleOf", "uniqueItems", "format"):
            typed = key == "format" and {one.get(key), other.get(key)} & _TYPED_FORMATS
            yield from _rule(
                where, key, one.get(key) or None, other.get(key) or None, sent, bool(typed)
            )
        if one.get("default") != other.get("default") and sent:
            both = "default" in one and "default" in other
            words = (repr(s["default"]) if "default" in s else "none" for s in (one, other))
            yield Change(where, "changed", f"default {' became '.join(words)}", both)
        for sign, key in (("[]", "items"), ("{}", "additionalProperties")):
            # Without the keyword, anything goes.
            first, second = (({} if (p := s.get(key, True)) is True else p) for s in (one, other))
            if (first or second) and first is not False and second is not False:
                yield from self.compare(f"{where}{sign}", first, second, sent, above)
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
            yield from self.compare(where, option, option, sent, above)
        if len(gone) == len(fresh):
            for first, second in zip(gone, fresh, strict=True):
                yield from self.compare(where, first, second, sent, above)
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
        gone, fresh, kept = sides(before, after)
        for name in gone:
            what = "the argument is gone" if sent else "the member is gone"
            yield Change(f"{where}: {name}", "removed", what, True)
        for name in fresh:
            place = f"{where}: {name}"
            yield (
                new_argument(place, name in shall)
                if sent
                else Change(place, "added", "a new member", False)
            )
        for name in kept:
            place = f"{where}: {name}"
            yield from marks(place, name in must, name in shall, sent)
            yield from self.compare(place, before[name], after[name], sent, above)
        if bool(old.get("additionalProperties", True)) != bool(
            new.get("additionalProperties", True)
        ):
            closed = new.get("additionalProperties") is False
            kind = "tightened" if closed else "loosened"
            what = "unknown members are refused" if closed else "unknown members are kept"
            yield Change(where, kind, what, closed)

    def resolved(self, side: int, node: dict[str, Any]) -> dict[str, Any]:
        """Follow the references of a node of the old document, 0, or the new one, 1."""
        while "$ref" in node:
            node = at(self._documents[side], target(node["$ref"]))
        return node

    def merged(self, side: int, schema: Any) -> dict[str, Any]:
        """Bring a schema, its reference and its `allOf` together; the nearest words win."""
        if not isinstance(schema, dict):
            return {}
        merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        inner = list(schema.get("allOf", ()))
        if "$ref" in schema:
            inner.append(at(self._documents[side], target(schema["$ref"])))
        for part in inner:
            for key, value in self.merged(side, part).items():
                if key == "properties":
                    merged[key] = {**value, **merged.get(key, {})}
                elif key == "required":
                    merged[key] = [*merged.get(key, ()), *value]
                else:
                    merged.setdefault(key, value)
        return merged


def sides(old: Iterable[str], new: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Tell names apart, in the order of the document: those gone, those new, those kept."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    return (
        [name for name in before if name not in after],
        [name for name in after if name not in before],
        [name for name in after if name in before],
    )


def new_argument(where: str, required: bool) -> Change:
    """Tell of an argument that was not there."""
    what = "a required argument" if required else "an optional argument"
    return Change(where, "added", what, required)


def marks(where: str, must: bool, shall: bool, sent: bool) -> Iterator[Change]:
    """Tell whether a value must be there, before and after."""
    if must != shall:
        kind = ("tightened" if sent else "changed") if shall else "loosened"
        what = "required now" if shall else "no longer required"
        yield Change(where, kind, what, shall if sent else must)


def retired(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Tell whether the provider is about to give something up."""
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        what = "deprecated" if new.get("deprecated") else "no longer deprecated"
        yield Change(where, "changed", what, False)


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
