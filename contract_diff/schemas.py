"""Compare two versions of a schema, and say what a difference means for callers.

In a request, asking for more breaks callers. In a reply, giving less breaks them, and so does a
value that their code has no type for.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from codegen.document import merged

Schema = Mapping[str, Any]
Above = tuple[Any, ...]
# Which way a limit becomes tighter.
_LIMITS = {
    **dict.fromkeys(("minLength", "minimum", "exclusiveMinimum", "minItems"), 1),
    **dict.fromkeys(("maxLength", "maximum", "exclusiveMaximum", "maxItems"), -1),
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
        yield from _limits(where, one, other, sent)
        yield from _rules(where, one, other, sent)
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
        for name in paired(before, after):
            place = f"{where}: {name}"
            yield from presence(place, name in required[0], name in required[1], sent)
            yield from self.compare(place, before[name], after[name], sent, above)
        is_open = [bool(schema.get("additionalProperties", True)) for schema in (old, new)]
        if is_open[0] and not is_open[1]:
            yield Change(where, "tightened", "unknown members are refused", True)
        elif is_open[1] and not is_open[0]:
            yield Change(where, "loosened", "unknown members are kept", False)


def paired(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """List the names that both sides have, in the order of the new document."""
    before = set(old)
    return [name for name in new if name in before]


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
    words = (" or ".join(sorted(names)) or "any" for names in (before, after))
    what = f"type {' became '.join(words)}"
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


def _limits(where: str, old: Schema, new: Schema, sent: bool) -> Changes:
    for name, direction in _LIMITS.items():
        before, after = old.get(name), new.get(name)
        if before != after:
            tighter = before is None or (after is not None and (after - before) * direction > 0)
            words = ("none" if limit is None else str(limit) for limit in (before, after))
            kind = "tightened" if tighter else "loosened"
            yield Change(where, kind, f"{name} {' became '.join(words)}", tighter and sent)


def _rules(where: str, old: Schema, new: Schema, sent: bool) -> Changes:
    for name in ("pattern", "multipleOf", "uniqueItems", "format"):
        before, after = old.get(name) or None, new.get(name) or None
        if before != after:
            # Another Python type, whatever the direction.
            typed = name == "format" and bool({before, after} & _TYPED_FORMATS)
            kind = "loosened" if not after else "changed" if before else "tightened"
            what = f"{name} {before or 'none'} became {after or 'none'}"
            yield Change(where, kind, what, typed or bool(after and sent))
