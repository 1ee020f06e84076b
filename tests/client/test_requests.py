"""What the contract asks of a request is checked before a byte is sent."""

import copy
import itertools
import pickle
import re
import threading
from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalwire_compat import UNSET, InvalidRequestError, RestClient
from signalwire_compat._schema import Schema, resolve_refs
from signalwire_compat.api.phone_numbers import purchase
from signalwire_compat.models import PurchaseRequest
from signalwire_compat_mock import MockServer

from codegen.schema_code import ConstraintError, Constraints, python_pattern
from tests.conftest import PROJECT

NUMBER = "+15551234567"


def refusal(client: RestClient, **arguments: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        client.compat.phone_numbers.purchase(**{"PhoneNumber": NUMBER, **arguments})
    return caught.value


class Verb(str, Enum):  # noqa: UP042  # as callers have it
    """An enumeration whose own text is `Verb.CREATE`."""

    CREATE = "POST"


class Number(StrEnum):
    """An enumeration whose own text is its value."""

    MAIN = "+15551234567"


def test_a_member_of_an_enumeration_is_sent_as_its_value(
    mock: MockServer, client: RestClient
) -> None:
    client.compat.phone_numbers.purchase(
        PhoneNumber=Number.MAIN,
        FriendlyName=Verb.CREATE,
        VoiceMethod=Verb.CREATE,  # type: ignore[arg-type]  # equal to one that is allowed
    )
    assert dict(mock.journal[0].form or ()) == {
        "PhoneNumber": NUMBER,
        "FriendlyName": "POST",
        "VoiceMethod": "POST",
    }


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("PhoneNumber", "555-1234", 'must be E.164: "+" and 5 to 17 digits, got "555-1234"'),
        ("PhoneNumber", "+1234", 'must be E.164: "+" and 5 to 17 digits, got "+1234"'),
        ("PhoneNumber", "+" + "1" * 18, 'must be E.164: "+" and 5 to 17 digits, got "+1'),
        ("PhoneNumber", "+15551\n", 'must be E.164: "+" and 5 to 17 digits, got "+15551\\n"'),
        ("PhoneNumber", "+\uff11\uff15\uff15\uff15\uff11", 'must be E.164: "+" and 5 to 17 digits'),
        ("PhoneNumber", 15551234567, 'must be E.164: "+" and 5 to 17 digits, got int 15551234567'),
        ("PhoneNumber", None, 'must be E.164: "+" and 5 to 17 digits, got None'),
        ("PhoneNumber", b"+1555", "must be E.164: \"+\" and 5 to 17 digits, got bytes b'+1555'"),
        ("PhoneNumber", UNSET, 'is missing: it must be E.164: "+" and 5 to 17 digits'),
        ("FriendlyName", None, "must be text, got None"),
        ("FriendlyName", b"x", "must be text, got bytes b'x'"),
        ("FriendlyName", 5, "must be text, got int 5"),
        ("FriendlyName", True, "must be text, got True"),
        ("FriendlyName", ["a"], "must be text, got list ['a']"),
        ("FriendlyName", {"a": 1}, "must be text, got dict {'a': 1}"),
        ("FriendlyName", [10**5000], "must be text, got list"),
        ("FriendlyName", "ab\ud800", "must be text that can be sent (character 3 is half of a"),
        ("SmsApplicationSid", "123", 'must be a UUID, got "123"'),
        ("SmsMethod", "get", 'must be "GET" or "POST", got "get"'),
        ("SmsMethod", "GÉT", 'must be "GET" or "POST", got "GÉT"'),
        ("VoiceReceiveMode", "sms", 'must be "voice" or "fax", got "sms"'),
        ("VoiceUrl", "example.com/voice", "must be a URL with its scheme, in ASCII, got"),
        ("SmsUrl", "https://exämple.com", "must be a URL with its scheme, in ASCII, got"),
        ("SmsUrl", "https://example.com/a b", "must be a URL with its scheme, in ASCII, got"),
        ("StatusCallback", "", 'must be a URL with its scheme, in ASCII, got ""'),
        ("AccountSid", "me", 'must be a UUID, got "me"'),
        ("AccountSid", None, "must be a UUID, got None"),
    ],
)
def test_a_value_that_the_contract_does_not_allow_is_not_sent(
    mock: MockServer, client: RestClient, field: str, value: Any, problem: str
) -> None:
    error = refusal(client, **{field: value})
    assert str(error).startswith(f"{field} {problem}")
    assert error.problems == [str(error)]
    assert len(str(error)) < 160
    assert str(error).isprintable()
    assert (error.operation, error.category) == ("phone_numbers.purchase", "input")
    assert error.arguments.get(field, UNSET) == value or value is UNSET
    assert not error.outcome_unknown
    assert mock.journal == []


def test_all_broken_values_are_named_at_once(mock: MockServer, client: RestClient) -> None:
    error = refusal(client, PhoneNumber="1", SmsMethod="PUT", AccountSid="x", FriendlyName=None)
    named = [problem.split()[0] for problem in error.problems]
    assert named == ["AccountSid", "PhoneNumber", "FriendlyName", "SmsMethod"]
    assert str(error) == "; ".join(error.problems)
    assert mock.journal == []


def test_a_url_keeps_what_the_contract_allows(mock: MockServer, client: RestClient) -> None:
    urls = [
        "https://example.com/a?b=c&d=%20#rt=5000",
        "http://user:pass@[::1]:8080/",
        "HTTPS://EXAMPLE.COM",
        "urn:example:x",
    ]
    for index, url in enumerate(urls):
        client.compat.phone_numbers.purchase(PhoneNumber=f"+1555000{index}", StatusCallback=url)
        assert mock.journal[-1].form == [
            ("PhoneNumber", f"+1555000{index}"),
            ("StatusCallback", url),
        ]


def test_a_model_is_checked_when_it_is_made_and_when_it_is_changed(
    mock: MockServer, client: RestClient
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        PurchaseRequest(phone_number="1", sms_method="PUT", voice_url="x")  # type: ignore[arg-type]
    assert [problem.split()[0] for problem in caught.value.problems] == [
        *("phone_number", "sms_method", "voice_url")
    ]
    body = PurchaseRequest(phone_number=NUMBER)
    with pytest.raises(InvalidRequestError, match=r"^phone_number must be E\.164"):
        body.phone_number = "1"
    assert body.phone_number == NUMBER
    unchecked = PurchaseRequest.from_dict({"PhoneNumber": "1"})
    with pytest.raises(InvalidRequestError, match=r"^PhoneNumber must be E\.164"):
        purchase.sync(PROJECT, client=client, body=unchecked)
    nothing: Any = None
    with pytest.raises(InvalidRequestError, match="body must be an object, got None"):
        purchase.sync(PROJECT, client=client, body=nothing)
    assert mock.journal == []


def test_a_reply_is_not_held_to_what_a_request_is() -> None:
    assert PurchaseRequest.from_dict({"PhoneNumber": "1"}).phone_number == "1"


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^a$", "a", True),
        (r"^a$", "a\n", False),
        (r"^\d+$", "٣", False),
        (r"[$]", "$", True),
        (r"\$", "$", True),
        (r"(?<year>\d{4})", "in 2026", True),
        (r"(?<!a)b", "cb", True),
        (r"(?<=a)b", "cb", False),
        (r"[\]$]$", "$", True),
    ],
)
def test_a_pattern_means_in_python_what_it_means_in_the_contract(
    pattern: str, text: str, matches: bool
) -> None:
    assert (re.search(python_pattern(pattern), text, re.ASCII) is not None) is matches


def test_a_pattern_that_python_can_not_match_is_refused() -> None:
    with pytest.raises(ConstraintError, match=r"the pattern \\p\{L\}\+ can't be checked"):
        python_pattern(r"\p{L}+")


SCHEMAS: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "integer", "minimum": 1, "maximum": 9}, [1, 9], [0, 10, "1", True, None, 1.5]),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, [0.5], [0, 1, "0.5"]),
    ({"type": "integer", "multipleOf": 5}, [0, 15], [7]),
    ({"type": "integer", "format": "int32"}, [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1]),
    ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd", 12]),
    ({"type": ["string", "null"], "enum": ["a", None]}, ["a", None], ["b", 0]),
    ({"const": 1}, [1], [2, True, "1"]),
    ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
    ({"type": "string", "format": "date"}, ["2026-01-31"], ["2026-13-01", "31.1.2026"]),
    ({"type": "string", "format": "date-time"}, ["2026-01-31T12:00:00Z"], ["2026-01-31"]),
    ({"type": "string", "format": "email"}, ["a@b"], ["a", "a@b c"]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [[1]], [[], ["1"], 1]),
    ({"type": "array", "uniqueItems": True, "maxItems": 2}, [[1, 2]], [[1, 1], [1, 2, 3]]),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1, None], ["1"]),
    ({"oneOf": [{"type": "string", "maxLength": 1}, {"type": "integer"}]}, ["a", 7], ["ab", 1.5]),
    ({"allOf": [{"type": "string", "minLength": 2}, {"maxLength": 3}]}, ["ab"], ["a", "abcd"]),
    ({"allOf": [{"pattern": "^a"}, {"pattern": "b$"}], "type": "string"}, ["ab"], ["a", "b"]),
    (
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
        [{"a": 1}],
        [{}, {"a": "1"}, {"a": 1, "b": 2}, []],
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}, "required": ["b"]},
        [{"b": 1}],
        [{}, {"b": "1"}],
    ),
    ({}, [None, 1, "a", [], {}], []),
]


def rule_of(schema: dict[str, Any], **schemas: dict[str, Any]) -> Schema:
    written = Constraints({"components": {"schemas": schemas}}).code(schema)
    rule: Schema = eval(written, {"Schema": Schema, "resolve_refs": resolve_refs})  # noqa: S307  # our own source
    return rule


@pytest.mark.parametrize(("schema", "good", "bad"), SCHEMAS)
def test_every_constraint_of_a_schema_becomes_a_check(
    schema: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    rule = rule_of(schema)
    assert [value for value in good if rule.violations(value)] == []
    assert [value for value in bad if not rule.violations(value)] == []
    for value in bad:
        assert all(violation.problem.isprintable() for violation in rule.violations(value, ("x",)))


TREE_REF = {"$ref": "#/components/schemas/Tree"}
TREE = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "maximum": 9},
        "root": TREE_REF,
        "twigs": {"type": "array", "items": {**TREE_REF, "description": "One of them."}},
        "names": {"type": "object", "additionalProperties": TREE_REF},
        "next": {"oneOf": [TREE_REF, {"type": "null"}]},
        "branch": {"$ref": "#/components/schemas/Branch"},
        "all": {"allOf": [TREE_REF, {"$ref": "#/components/schemas/Branch"}]},
    },
}
BRANCH = {"type": "object", "properties": {"tree": TREE_REF, "all": TREE_REF}}
DOWN: dict[str, Callable[[Any], Any]] = {
    "root": lambda tree: {"root": tree},
    "twigs": lambda tree: {"twigs": [{}, tree]},
    "names": lambda tree: {"names": {"a": tree}},
    "next": lambda tree: {"next": tree},
    "branch": lambda tree: {"branch": {"tree": tree}},
    "all": lambda tree: {"all": {"tree": tree}},
    "all of all": lambda tree: {"all": {"all": tree}},
}


@pytest.mark.parametrize("way", DOWN)
def test_a_schema_that_holds_itself_is_checked_at_every_depth(way: str) -> None:
    rule = rule_of(TREE_REF, Tree=TREE, Branch=BRANCH)
    good, bad = {"size": 9}, {"size": 10}
    for depth in range(7):
        assert rule.violations(good) == []
        (violation,) = rule.violations(bad)
        assert (violation.place[-1], violation.found) == ("size", 10)
        assert sum(isinstance(step, str) for step in violation.place) >= depth
        good, bad = DOWN[way](good), DOWN[way](bad)


def test_options_that_lead_to_one_schema_ask_it_once_at_each_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else each level would take several times as long as the one above."""
    node = {"$ref": "#/components/schemas/Node"}
    twice = {"allOf": [{"items": node}, {"items": {**node, "description": "The same."}}]}
    options = [
        {"type": "object", "properties": {"in": node, "list": twice, name: {"type": "integer"}}}
        for name in ("size", "size", "other")
    ]
    rule = rule_of(node, Node={"anyOf": options})
    asked: list[Any] = []
    allows = Schema.allows

    def counting(self: Schema, value: Any) -> bool:
        asked.append(value)
        return allows(self, value)

    monkeypatch.setattr(Schema, "allows", counting)
    value: Any = {"size": "7", "other": "8"}
    counts: list[tuple[int, int]] = []
    for _ in range(4):
        value = {"in": {"list": [value]}}
        asked.clear()
        (violation,) = rule.violations(value)
        strict = len(asked)
        read, (same,) = rule.read(value)
        counts.append((strict, len(asked) - strict))
        assert violation == same
        assert (violation.place[-1], violation.found) == ("size", "7")
        assert str(read) == str(value).replace("'7'", "7")
    more = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(counts)]
    assert more[-1] == more[-2]


def test_a_value_that_is_nested_too_deep_is_told_as_that() -> None:
    rule = rule_of(TREE_REF, Tree=TREE, Branch=BRANCH)
    for down in DOWN.values():
        value: Any = {}
        for _ in range(5000):
            value = down(value)
        (violation,) = rule.violations(value)
        assert violation.problem.startswith("the value must be nested less deep")
        with pytest.raises(RecursionError):
            rule.read(value)
    holder: dict[str, Any] = {}
    holder["root"] = holder
    assert [violation.expected for violation in rule.violations(holder)] == ["nested less deep"]


ANY = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.text()),
    st.text(st.characters(categories=["Cs"]), min_size=1),
    st.lists(st.text(), max_size=2),
    st.builds(object),
)


class Detached:
    """An object that can't be shown, such as a row of a closed database."""

    def __repr__(self) -> str:
        raise RuntimeError("it is detached")


def nested(depth: int) -> list[Any]:
    outer: list[Any] = []
    for _ in range(depth):
        outer = [outer]
    return outer


@pytest.mark.parametrize("value", [Detached(), nested(5000), threading.Lock(), lambda: "x"])
def test_a_refusal_of_what_can_not_be_shown_or_pickled_can_be(
    client: RestClient, value: Any
) -> None:
    error = refusal(client, FriendlyName=value)
    assert str(error).startswith("FriendlyName must be text, got ")
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301  # our own
        assert twin.arguments["PhoneNumber"] == NUMBER
        assert str(twin) == str(error)


@settings(deadline=None, database=None, derandomize=True)
@given(name=ANY, number=ANY)
def test_no_argument_of_any_type_ends_in_an_exception_of_another_family(
    name: Any, number: Any
) -> None:
    with RestClient(PROJECT, "token", "localhost") as client, pytest.raises(InvalidRequestError):
        client.compat.phone_numbers.purchase(PhoneNumber=number, FriendlyName=name, SmsMethod="X")  # type: ignore[arg-type]
