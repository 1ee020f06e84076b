"""The result or the exception that a reply stands for.

Written without the client's own code.
"""

import copy
import datetime
import importlib
import json
import pickle
import re
from collections.abc import Iterator
from typing import Any

from attrs import has
from signalwire_compat_mock import Exchange, MockServer

from . import document as doc
from .client_calls import Caller, Outcome, python_name
from .document import AnyCase, Schema
from .expected_request import as_text
from .expected_times import is_known, time_of
from .options import CLIENT
from .relay import Relay

UNSET: Any = importlib.import_module(f"{CLIENT}.types").UNSET
_CHOSEN = ("anyOf", "oneOf", "minItems", "maxItems", "uniqueItems")
"""What decides in a client how a value is read, or whether its items are."""
_NUMBERS = {"integer", "number"}


def send(
    way: str, case: AnyCase, server: MockServer | Relay, caller: Caller
) -> tuple[Outcome, list[Exchange]]:
    """Send a case to a server that remembers nothing, and return what both ends saw."""
    server.reset()
    return caller.call(way, case), server.journal


def only_exchange(journal: list[Exchange], outcome: Outcome) -> Exchange:
    """Return the one exchange of a call. Errors: what prevented it."""
    if not journal:
        outcome.unwrap()
    assert len(journal) == 1, f"{len(journal)} requests were sent for one call"
    return journal[0]


def assert_decoded(
    way: str, case: AnyCase, outcome: Outcome, exchange: Exchange, *, converted: bool = False
) -> None:
    """Check that a result says all that a successful reply said; see `assert_says`."""
    result = outcome.unwrap()
    if way.endswith("detailed"):
        assert result.status_code == exchange.status
        assert result.content == exchange.reply_body
        result = result.parsed
    if (schema := doc.reply_schema(case, exchange.status)) is None:
        assert is_same_text(result, exchange)
        return
    said = json.loads(exchange.reply_body)
    assert_says(result, said, converted=converted)
    assert_typed(result, said, schema)


def assert_typed(result: Any, said: Any, schema: Schema) -> None:
    """Check each attribute of a decoded reply, at any depth, and that a copy is the same."""
    assert list(untyped(result, said, schema)) == []
    if has(type(result)):
        assert type(result).__hash__ is None, "a model can be changed, so it has no hash"
        written = result.to_dict()
        if names := [*written]:
            name = names[doc.lot(written, len(names))]
            changed = type(result).from_dict({**written, name: "another value"})
            assert changed != result, f"a model with another {name} is equal"
        # Each takes time: a reply tries one of them.
        ways = (_read_again, copy.deepcopy, _pickled)
        other = ways[doc.lot(said, len(ways))](result)
        assert (other, repr(other)) == (result, repr(result))


def _read_again(result: Any) -> Any:
    return type(result).from_dict(result.to_dict())


def _pickled(result: Any) -> Any:
    return pickle.loads(pickle.dumps(result))  # noqa: S301  # our own


def is_same_text(result: Any, exchange: Exchange) -> bool:
    """Tell whether a result is a reply that is not JSON: its text, its bytes, or None for none."""
    text = result.encode() if isinstance(result, str) else result
    return bool((text or b"") == exchange.reply_body)


def assert_says(result: Any, said: Any, where: str = "/", *, converted: bool = False) -> None:
    """Check that a decoded reply leaves out, changes and makes up nothing.

    Null and absent are the same. With `converted`, the text "true" and true are the same: a reply
    that breaks the document is put right where that leaves no doubt.
    """
    if _is_same_scalar(result, said):
        return
    if isinstance(result, list) and isinstance(said, list) and len(result) == len(said):
        for index, (item, value) in enumerate(zip(result, said, strict=True)):
            assert_says(item, value, f"{where}{index}/", converted=converted)
        return
    is_model = hasattr(result, "to_dict") and isinstance(said, dict)
    told = result.to_dict() if is_model else result
    if isinstance(result, datetime.datetime) and isinstance(said, str):
        said = _time(said)
    texts = [_in_one_way(node, converted=converted, nulls=False) for node in (told, said)]
    same = texts[0] == texts[1]
    assert same, f"{where} is {told!r}, the reply says {said!r}"
    if is_model:
        assert said.keys() <= told.keys(), f"{where} lacks a member"
        extra = getattr(result, "additional_properties", {})
        for name, value in said.items():
            member = extra[name] if name in extra else getattr(result, python_name(name), None)
            assert_says(member, value, f"{where}{name}/", converted=converted)


def _is_same_scalar(value: Any, other: Any) -> bool:
    return type(value) is type(other) and isinstance(value, str | int | None) and value == other


def _time(text: str) -> Any:
    """Read a text as the time that a client makes of it, in any notation of ISO 8601."""
    try:
        return datetime.datetime.fromisoformat(text.upper())
    except ValueError:
        return text


def _in_one_way(value: Any, *, converted: bool = False, nulls: bool = True) -> str:
    def alike(node: Any) -> Any:
        node = node.to_dict() if hasattr(node, "to_dict") else node
        if node is UNSET:
            return "UNSET"
        if isinstance(node, datetime.date):
            return node.isoformat()
        if isinstance(node, dict):
            return {n: alike(member) for n, member in node.items() if nulls or member is not None}
        if isinstance(node, list):
            return [alike(item) for item in node]
        return as_text(node) if converted else node

    return doc.as_json(alike(value))


def untyped(result: Any, said: Any, schema: Schema, where: str = "") -> Iterator[str]:
    """Find what in a decoded reply is not what the document makes of the JSON, at any depth.

    Where the document leaves a choice, this finds nothing.
    """
    parts = [*doc.parts(schema)]
    if any(keyword in part for part in parts for keyword in _CHOSEN):
        return
    members, items = doc.named_members(schema), doc.item_schema(schema)
    if members and isinstance(said, dict):
        yield from _untyped_members(result, said, schema, where)
    elif items is not None and isinstance(said, list) and isinstance(result, list):
        for index, (item, value) in enumerate(zip(result, said, strict=True)):
            yield from untyped(item, value, items, f"{where}/{index}")
    else:
        right = _converted(said, parts)
        if not _is_same_scalar(result, right) and _in_one_way(result) != _in_one_way(right):
            yield f"{where} is {result!r} in place of {right!r}"


def _untyped_members(
    result: Any, said: dict[str, Any], schema: Schema, where: str
) -> Iterator[str]:
    if not has(type(result)):
        yield f"{where or '/'} is not a model"
        return
    members = doc.named_members(schema)
    required = {name for part in doc.parts(schema) for name in part.get("required", ())}
    nulls = {n for n in required & members.keys() if doc.allows_type(members[n], "null")}
    written = result.to_dict().keys()
    if written != said.keys() | nulls:
        yield f"to_dict() of {where or '/'} has {written ^ (said.keys() | nulls)}"
    if (extra := getattr(result, "additional_properties", {})).keys() & members.keys():
        yield f"{where} has no attributes for {extra.keys() & members.keys()}"
    if getattr(result, "found_by_look_up", False):
        yield f"{where or '/'} was found by a look"
    for name, member in members.items():
        here, value = f"{where}/{name}", getattr(result, python_name(name), "no attribute")
        if name in said:
            yield from untyped(value, said[name], member, here)
        elif value is not (None if name in nulls else UNSET):
            yield f"{here} is {value!r}, and was left out"
        if doc.resolved(member).get("format") == "rfc2822" and is_known(said.get(name)):
            time = getattr(result, f"{python_name(name)}_datetime")
            if time != time_of(said[name]) or (time and time.tzinfo is None):
                yield f"{here}_datetime is {time!r} for {said[name]!r}"


def _converted(value: Any, parts: list[Schema]) -> Any:
    """Give a value the type of the document, if it has another and that leaves no doubt."""
    types = {name for part in parts for name in doc.types(part)}
    if isinstance(value, str) and any(part.get("format") == "date-time" for part in parts):
        return _time(value)
    if isinstance(value, str) and types and "string" not in types:
        if "boolean" in types and value in ("true", "false"):
            return value == "true"
        is_whole = "integer" in types and re.fullmatch("-?[0-9]{1,18}", value)
        return int(value) if is_whole else value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number and "string" in types and not types & _NUMBERS else value


def unnamed(said: Any, schema: Schema, where: str = "") -> Iterator[str]:
    members = doc.named_members(schema)
    is_open = isinstance(doc.resolved(schema).get("additionalProperties"), dict)
    for name, value in said.items() if isinstance(said, dict) and members else ():
        if name in members:
            yield from unnamed(value, members[name], f"{where}/{name}")
        elif not is_open:
            yield f"{where}/{name}"
