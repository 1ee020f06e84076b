"""Which keywords of a form no case can break, or keep: each value of a form is text.

TraceCov asks for a case of both kinds: it knows that all text is a string, but not that a member
which is a list is one however often it is written, nor that none is written without an item.
"""

from typing import Any

from signalwire_compat_mock.contract import FORM, MULTIPART, Contract, media_type
from signalwire_compat_mock.document import DECORATIVE, Document, join

Gap = dict[str, Any]
_MISS, _VALID, _INVALID = "keyword_miss", "keyword_needs_valid", "keyword_needs_invalid"
_LIMITS = {
    *("const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    *("maxItems", "maxLength", "minLength", "pattern"),
}


def is_askable(contract: Contract, gap: Gap) -> bool:
    """Tell whether a case can fill a gap of TraceCov: always, but for some in forms."""
    kind = media_type(gap.get("parameter", ""))
    if gap.get("location") != "body" or kind not in (FORM, MULTIPART):
        return True
    place = join("/paths", gap["path"].removeprefix(contract.base_path), gap["method"].lower())
    operation = next(each for each in contract.operations.values() if each.pointer == place)
    pointer = operation.body.media[kind].pointer if operation.body else ""
    form = _Form(contract.document, f"{pointer}/schema", kind)
    path = gap.get("schema_path")
    return path not in form.met or (gap["kind"], path) in form.asked


class _Form:
    """The keywords of a form: those that were met, and what a case can do to each of them."""

    def __init__(self, document: Document, root: str, kind: str) -> None:
        self._document, self._root = document, root
        # In a part of a multipart body TraceCov reads JSON, elsewhere it does not.
        self._object = "json" if kind == MULTIPART else "unread"
        self.met: set[str] = set()
        self.asked: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], tuple[bool, bool]] = {}
        self._walk(root, "form")

    def _walk(self, pointer: str, place: str) -> tuple[bool, bool]:
        """Tell whether some value breaks a schema, and whether some keeps it.

        The place says which values there are: "form" (members), "list" (of one item or more),
        "text", "json" (all), or "unread" (some that TraceCov does not see).
        """
        schema = self._document.value(pointer)
        if not isinstance(schema, dict):
            return not schema, bool(schema)
        if (pointer, place) not in self._found:
            self._found[pointer, place] = True, True  # What holds itself is JSON.
            found = [(place == "unread", place != "unread")]
            for keyword in schema:
                found.append(self._keyword(schema, pointer, keyword, place))
                self._note(join(pointer, keyword), place, *found[-1])
            self._found[pointer, place] = _joined("allOf", found)
        return self._found[pointer, place]

    def _note(self, pointer: str, place: str, breaks: bool, keeps: bool) -> None:
        path = pointer.removeprefix(self._root)
        self.met.add(path)
        if place != "unread":
            told = ((_MISS, True), (_VALID, keeps), (_INVALID, breaks))
            self.asked |= {(kind, path) for kind, can_be in told if can_be}

    def _keyword(
        self, schema: dict[str, Any], pointer: str, keyword: str, place: str
    ) -> tuple[bool, bool]:
        here, value = join(pointer, keyword), schema[keyword]
        if keyword == "$ref":
            return self._walk(self._document.target(value), place)
        if keyword in ("allOf", "anyOf", "oneOf"):
            return _joined(keyword, [self._walk(join(here, i), place) for i, _ in enumerate(value)])
        if keyword == "properties":
            found = {name: self._inside(join(here, name), place) for name in value}
            needed = found.keys() & {*schema.get("required", ())}
            return any(b for b, _ in found.values()), all(found[name][1] for name in needed)
        if keyword == "additionalProperties":
            return self._inside(here, place)[0], True
        if keyword == "items":
            return self._inside(here, place)
        if keyword == "type" and place != "json":
            return _type([value] if isinstance(value, str) else value, place)
        if keyword == "minItems":
            return value > (place != "json"), True
        if keyword in ("required", "uniqueItems"):
            return bool(value), True
        if keyword == "format":
            return value not in DECORATIVE, True
        return keyword == "type" or keyword in _LIMITS, True

    def _inside(self, pointer: str, place: str) -> tuple[bool, bool]:
        """Walk a member or an item."""
        if place in ("json", "unread"):
            return self._walk(pointer, place)
        types = self._document.types(pointer)
        inner = self._object if "object" in types else "text"
        return self._walk(pointer, "list" if "array" in types else inner)


def _joined(keyword: str, parts: list[tuple[bool, bool]]) -> tuple[bool, bool]:
    breaks, keeps = [part[0] for part in parts], [part[1] for part in parts]
    if keyword == "allOf":
        return any(breaks), all(keeps)
    return all(breaks) or (keyword == "oneOf" and sum(keeps) > 1), any(keeps)


def _type(types: list[str], place: str) -> tuple[bool, bool]:
    if place == "text":
        return "string" not in types, types != ["null"]
    known = {"form": "object", "list": "array"}.get(place)
    return known not in types, known in types
