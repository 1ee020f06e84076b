"""Compare two versions of a schema, and say what a difference means for callers.

In a request, asking for more breaks callers. In a reply, giving less breaks them, and so does a
value that their code has no type for.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from codegen.document import merged

Schema = Mapping[str, Any]
T = TypeVar("T")
Above = tuple[Any, ...]
# Keywords that restrict a value; of a limit, which way it becomes tighter.
_KEYWORDS = {
    **dict.fromkeys(("minLength", "minimum", "exclusiveMinimum", "minItems"), 1),
    **dict.fromkeys(("maxLength", "maximum", "exclusiveMaximum", "maxItems"), -1),
    **dict.fromkeys(("pattern", "multipleOf", "uniqueItems", "format"), 0),
}
# Formats that have a Python type of their own in the client.
_TYPED_FORMATS = {"date", "date-time", "binary"}


class Change(NamedTuple):
    """One change: where, its kind (added, removed, tightened, loosened, changed), in words.

    `on_wire` means that the same call is sent, or its reply read, in another way than before.
    """

    where: str
    kind: str
    what: str
    breaking: bool
    on_wire: bool = False

    def __str__(self) -> str:
        """Write the change as one line."""
        return f"{self.where}: {self.kind}: {self.what}"


Changes = Iterator[Change]


class SchemaComparison:
    """Compares schemas of an old and a new document."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Take the documents that references point into."""
        self.documents = (old, new)

    def compare(self, where: str, old: Any, new: Any, sent: bool, above: Above = ()) -> Changes:
        """Compare two schemas of a value that callers send or, if not `sent`, receive."""
        if any(old is outer or new is outer for outer in above):
            return
        above = (*above, old, new)
        one, other = map(merged, self.documents, (old, new))
        yield from deprecation(where, one, other)
        yield from _types(where, one, other, sent)
        yield from _values(where, one, other, sent)
        yield from _restrictions(where, one, other, sent)
        if one.get("default") != other.get("default") and sent:
            both = "default" in one and "default" in other
            words = (repr(s["default"]) if "default" in s else "none" for s in (one, other))
            yield Change(where, "changed", f"default {' became '.join(words)}", both)
        for sign, key in (("[]", "items"), ("{}", "additionalProperties")):
            # Without the keyword, anything is allowed.
            first, second = (({} if (p := s.get(key, True)) is True else p) for s in (one, other))
            if (first or second) and first is not False and second is not False:
                yield from self.compare(f"{where}{sign}", first, second, sent, above)
        yield from self._members(where, one, other, sent, above)
        for key in ("anyOf", "oneOf"):
            yield from self._alternatives(where, one.get(key), other.get(key), sent, above)

    def _alternatives(self, where: str, old: Any, new: Any, sent: bool, above: Above) -> Changes:
        """Pair alternatives that are equal, then the rest in their order."""
        if old is None or new is None:
            if old != new:
                yield Change(where, "changed", "alternatives added or removed", True)
            return
        pairs = [(option, option) for option in old if option in new]
        gone = [option for option in old if option not in new]
        fresh = [option for option in new if option not in old]
        if len(gone) == len(fresh):
            pairs += zip(gone, fresh, strict=True)
        elif gone and fresh:
            yield Change(where, "changed", "the alternatives", True)
        elif gone:
            yield Change(where, "tightened", "fewer alternatives", sent)
        else:
            yield Change(where, "loosened", "more alternatives", not sent)
        for first, second in pairs:
            yield from self.compare(where, first, second, sent, above)

    def _members(self, where: str, old: Schema, new: Schema, sent: bool, above: Above) -> Changes:
        before, after = old.get("properties", {}), new.get("properties", {})
        required = old.get("required", ()), new.get("required", ())
        what = ("argument", required[1]) if sent else ("member",)
        yield from unpaired(f"{where}: ", before, after, *what)
        for place, one, other in paired(f"{where}: ", before, after):
            was, is_required = (place.removeprefix(f"{where}: ") in names for names in required)
            yield from presence(place, was, is_required, sent)
            yield from self.compare(place, one, other, sent, above)
        is_open = [bool(schema.get("additionalProperties", True)) for schema in (old, new)]
        if is_open[0] and not is_open[1]:
            yield Change(where, "tightened", "unknown members are refused", True)
        elif is_open[1] and not is_open[0]:
            yield Change(where, "loosened", "unknown members are kept", False)


def paired(prefix: str, old: Mapping[str, T], new: Mapping[str, T]) -> list[tuple[str, T, T]]:
    """List what both sides have, in the order of the new document: place, old and new."""
    return [(f"{prefix}{name}", old[name], new[name]) for name in new if name in old]


def became(old: Any, new: Any) -> str:
    """Say in words how a value changed."""
    return " became ".join("none" if value is None else str(value) for value in (old, new))


def unpaired(
    prefix: str,
    old: Iterable[str],
    new: Iterable[str],
    what: str = "",
    required: Container[str] = (),
) -> Changes:
    """Report the names that one side has; a new one breaks callers if it is required."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    for name in before:
        if name not in after:
            gone = f"the {what} is gone" if what else "no longer documented"
            yield Change(f"{prefix}{name}", "removed", gone, True)
    for name in after:
        if name not in before:
            kind = "required " if name in required else "optional " if what == "argument" else ""
            fresh = f"a new {kind}{what}" if what else "newly documented"
            yield Change(f"{prefix}{name}", "added", fresh, name in required)


def presence(where: str, was_required: bool, is_required: bool, sent: bool) -> Changes:
    """Report whether a value became required, or no longer is."""
    if is_required and not was_required:
        yield Change(where, "tightened" if sent else "changed", "required now", sent)
    elif was_required and not is_required:
        yield Change(where, "loosened", "no longer required", not sent)


def deprecation(where: str, old: Schema, new: Schema) -> Changes:
    """Report whether something became deprecated, or no longer is."""
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        what = "deprecated" if new.get("deprecated") else "no longer deprecated"
        yield Change(where, "changed", what, False)


def _types(where: str, old: Schema, new: Schema, sent: bool) -> Changes:
    before, after = _type_names(old), _type_names(new)
    if before == after:
        return
    what = f"type {became(*(' or '.join(sorted(names)) or 'any' for names in (before, after)))}"
    if not after or (before and before < _widened(after)):
        yield Change(where, "loosened", what, not sent)
    elif not before or after < _widened(before):
        yield Change(where, "tightened", what, sent)
    else:
        yield Change(where, "changed", what, True)


def _widened(names: set[str]) -> set[str]:
    return names | {"integer"} if "number" in names else names


def _type_names(schema: Schema) -> set[str]:
    names = schema.get("type", ())
    return {names} if isinstance(names, str) else set(names)


def _values(where: str, old: Schema, new: Schema, sent: bool) -> Changes:
    before, after = (
        [schema["const"]] if "const" in schema else schema.get("enum") for schema in (old, new)
    )
    if before is None and after is not None:
        yield Change(where, "tightened", f"only {_listed(after)} from now on", sent)
    elif before is not None and after is None:
        yield Change(where, "loosened", "any value from now on", False)
    elif before is not None and after is not None:
        if gone := [value for value in before if value not in after]:
            yield Change(where, "tightened", f"{_listed(gone)} no longer allowed", sent)
        if fresh := [value for value in after if value not in before]:
            yield Change(where, "loosened", f"{_listed(fresh)} allowed too", False)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(repr, values))


def _restrictions(where: str, old: Schema, new: Schema, sent: bool) -> Changes:
    for name, direction in _KEYWORDS.items():
        before, after = (None if s.get(name) is False else s.get(name) for s in (old, new))
        if before == after:
            continue
        if before is None or after is None:
            kind = "tightened" if before is None else "loosened"
        elif direction:
            kind = "tightened" if (after - before) * direction > 0 else "loosened"
        else:
            kind = "changed"
        # Another Python type, whatever the direction; or the property of a time is gone.
        typed = name == "format" and ({before, after} & _TYPED_FORMATS or before == "rfc2822")
        breaking = bool(typed) or (sent and kind != "loosened")
        yield Change(where, kind, f"{name} {became(before, after)}", breaking)
