"""What both ends of a call must agree on, whatever was sent and answered."""

import json
from typing import Any

import signalwire_compat
from schemathesis.core import NotSet
from signalwire_compat import APIStatusError, SignalWireError
from signalwire_compat.types import File
from signalwire_compat_mock import Exchange, MockServer

from . import tally
from .document import AnyCase, parameters, plain, reply_schema
from .meaning import differences, same, unset, untyped
from .ways import Caller, Outcome, python_name

CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}


def send(
    way: str, case: AnyCase, server: MockServer, caller: Caller
) -> tuple[Outcome, list[Exchange]]:
    """Send a case to a server that knows nothing, and return what both ends saw."""
    server.reset()
    outcome = caller.call(way, case)
    tally.current.calls += 1
    return outcome, server.journal


def only(journal: list[Exchange], outcome: Outcome) -> Exchange:
    """Return the one exchange of a call; what prevented it is raised."""
    if not journal and outcome.error is not None:
        raise outcome.error
    assert len(journal) == 1, f"{len(journal)} requests were sent for one call"
    return journal[0]


def assert_decoded(
    way: str, case: AnyCase, outcome: Outcome, exchange: Exchange, *, converted: bool = False
) -> None:
    """Check that a result says all that a successful reply said; see `differences`."""
    if outcome.error is not None:
        raise outcome.error
    result = outcome.value
    if way.endswith("detailed"):
        assert result.status_code == exchange.status
        assert result.content == exchange.reply_body
        result = result.parsed
    schema = reply_schema(case, exchange.status)
    if schema is None:
        assert is_said(result, exchange)
        return
    said = json.loads(exchange.reply_body)
    assert list(differences(result, said, converted=converted)) == []
    if not converted:
        assert list(unset(result)) == []
        assert list(untyped(result, schema)) == []


def is_said(result: Any, exchange: Exchange) -> bool:
    """Tell whether a result is a reply that is no JSON: its text, its bytes, or None for none."""
    if result is None:
        return exchange.reply_body == b""
    text: bytes = result.encode() if isinstance(result, str) else result
    return text == exchange.reply_body


def assert_refused(
    way: str, case: AnyCase, outcome: Outcome, exchange: Exchange, *, documented: bool = False
) -> None:
    """Check that a refusal is the right exception.

    In the detailed layer it may be its model, and has to be if the reply is `documented`.
    """
    said = json_or_none(exchange.reply_body)
    schema = reply_schema(case, exchange.status)
    if way.endswith("detailed") and (documented or outcome.error is None):
        if outcome.error is not None:
            raise outcome.error
        parsed = outcome.value.parsed
        assert outcome.value.status_code == exchange.status
        if schema is None:
            assert is_said(parsed, exchange)
            return
        assert list(differences(parsed, said)) == []
        assert list(untyped(parsed, schema)) == []
        return
    error = outcome.error
    assert isinstance(error, APIStatusError), f"{error!r} for status {exchange.status}"
    name = "ServerError" if 500 <= exchange.status < 600 else "APIStatusError"
    name = CLASSES.get(exchange.status, name)
    assert type(error) is getattr(signalwire_compat, name), f"{error!r} for {exchange.status}"
    assert error.status == exchange.status
    assert error.content == exchange.reply_body
    assert_told(case, error)
    refused = 400 <= exchange.status < 500 and exchange.status not in (408, 499)
    assert error.outcome_unknown == (case.method != "GET" and not refused)
    members = said if isinstance(said, dict) else {}
    if type(members.get("code")) is int:
        assert error.code == members["code"], f"the code of {error!r}"
    for member in ("message", "more_info"):
        told = on_one_line(members.get(member))
        assert not told or same_line(getattr(error, member), told), f"{member} of {error!r}"


def assert_told(case: AnyCase, error: SignalWireError) -> None:
    """Check that an exception says what was called, and with what."""
    operation = case.operation.definition.raw
    names = (operation["tags"][0], operation["operationId"])
    assert error.operation == ".".join(python_name(name) for name in names)
    body = {} if isinstance(case.body, NotSet) else case.body
    given = plain(parameters(case) | (body if isinstance(body, dict) else {"body": body}))
    told = _without_files(error.arguments)
    assert same(told, given), f"{told} in place of {given}"


def _without_files(value: Any) -> Any:
    if isinstance(value, File):
        content = value.payload
        return content.decode("latin-1") if isinstance(content, bytes) else content
    if isinstance(value, dict):
        return {name: _without_files(member) for name, member in value.items()}
    return [_without_files(item) for item in value] if isinstance(value, list) else value


def on_one_line(value: Any) -> str:
    """Write a text as an exception shows it: what can't be printed is a space."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def same_line(shown: Any, told: str) -> bool:
    """Compare a text with what an exception shows of it, which may be cut."""
    cut = str(shown).removesuffix("...")
    return shown == told or (len(told) > len(cut) >= 200 and told.startswith(cut))


def json_or_none(content: bytes) -> Any:
    """Decode JSON; None for what is none."""
    try:
        return json.loads(content)
    except ValueError:
        return None
