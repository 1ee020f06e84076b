"""A wrong entry of `x-reply-repeats` is refused, with its place and what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.validate import check
from tests.conftest import only

DIGITS = {"argument": "PhoneNumber", "compare": "digits"}
GOOD: dict[str, Any] = {"phone_number": DIGITS}
FILTER = {"name": "Filter", "in": "query", "schema": {"type": "object"}}
ANY_ID = {"name": "X-Id", "in": "header", "schema": {"type": "string"}}
# What is written, and words of the line: the place, what is wrong, what to do.
WRONG: list[tuple[Any, str]] = [
    ([DIGITS], '.x-reply-repeats: [{"argument":"PhoneNumber","compare":"digits"}] is not of type'),
    ({"phone_number": "PhoneNumber"}, '.phone_number: "PhoneNumber" is not of type "object"'),
    ({"phone_number": {"argument": "PhoneNumber"}}, '.phone_number: "compare" is missing: add it'),
    ({"phone_number": {"compare": "exact"}}, '.phone_number: "argument" is missing: add it'),
    ({"phone_number": {**DIGITS, "from": 1}}, '.phone_number.from: "from" is not known here'),
    (
        {"phone_number": {**DIGITS, "compare": "digit"}},
        ".phone_number.compare: 'digit' is not one of exact, digits",
    ),
    (
        {"phone_number": {**DIGITS, "argument": "Number"}},
        '"Number" is not a parameter or a member of the body: the nearest is "PhoneNumber"',
    ),
    (
        {"phone_number": {**DIGITS, "argument": "Filter"}},
        '.phone_number.argument: "Filter" can be an object: name one that is a plain value',
    ),
    (
        {"phonenumber": DIGITS},
        '.phonenumber: the reply 201 has no member "phonenumber": the nearest is "phone_number"',
    ),
    (
        {"capabilities": DIGITS},
        '.capabilities: "capabilities" can be an object in the reply 201: name a plain value',
    ),
]


def lines(contract: dict[str, Any], folder: Path, repeats: Any, **replies: Any) -> list[str]:
    """List what is wrong with the contract if its operation has these repeats and replies more."""
    document = only(contract, "purchase")
    (purchase,) = (item["post"] for item in document["paths"].values())
    purchase["x-reply-repeats"] = repeats
    purchase["parameters"] += [FILTER, ANY_ID]
    purchase["responses"] |= {name.lstrip("_"): reply for name, reply in replies.items()}
    file = folder / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return check(file)


@pytest.mark.parametrize(("repeats", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_entry_is_refused_with_its_place_and_what_to_do(
    contract: dict[str, Any], tmp_path: Path, repeats: Any, words: str
) -> None:
    (line,) = [x for x in lines(contract, tmp_path, repeats) if "x-reply-repeats" in x]
    assert re.match(rf"{re.escape(str(tmp_path))}/openapi.yaml:\d+:\d+: paths\./Accounts/", line)
    assert ".post.x-reply-repeats" in line
    assert words in line


def test_a_member_must_be_in_every_documented_success(
    contract: dict[str, Any], tmp_path: Path
) -> None:
    other = {"application/json": {"schema": {"type": "object", "properties": {"sid": {}}}}}
    found = lines(
        contract,
        tmp_path,
        GOOD,
        _200={"description": "Another.", "content": other},
        _204={"description": "None."},
    )
    words = 'the reply 200 has no member "phone_number": the nearest is "sid"'
    assert [words in line for line in found if "x-reply-repeats" in line] == [True]
    found = lines(contract, tmp_path, GOOD, _204={"description": "None."})
    words = 'the reply 204 has no member "phone_number": remove this entry'
    assert [words in line for line in found if "x-reply-repeats" in line] == [True]


@pytest.mark.parametrize("argument", ["AccountSid", "PhoneNumber", "X-Id"])
def test_any_plain_argument_can_be_repeated(
    contract: dict[str, Any], tmp_path: Path, argument: str
) -> None:
    repeats = {"sid": {"argument": argument, "compare": "exact"}, **GOOD}
    assert "x-reply-repeats" not in " ".join(lines(contract, tmp_path, repeats))
