"""A wrong `x-look-up` is refused, with its place and what to do."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.validate import check

Link = dict[str, Any]
WRONG: dict[str, tuple[Callable[[Link], object], str]] = {
    "no created": (
        lambda link: link["x-look-up"].clear(),
        '.outcome.x-look-up: "created" is missing: add it',
    ),
    "another key": (
        lambda link: link["x-look-up"].update(since=1),
        '.outcome.x-look-up.since: "since" is not known here',
    ),
    "created names a member that is not there": (
        lambda link: link["x-look-up"].update(created="born"),
        '.x-look-up.created: "born" is not a member of an item of the list: name the one that',
    ),
    "no list": (
        lambda link: link.update(operationId="get"),
        ".outcome.x-look-up: needs the operationId of a list: an operation with x-pages",
    ),
    "no such operation": (
        lambda link: link.pop("operationId") and link.update(operationRef="#/paths"),
        ".outcome.x-look-up: needs the operationId of a list",
    ),
    "a part of the reply": (
        lambda link: link["parameters"].update(PhoneNumber="$response.body#/phone_number"),
        '.outcome.parameters.PhoneNumber: can\'t be "$response.body#/phone_number", since the '
        "reply is lost when it is needed: write $request.body#/NAME",
    ),
    "no such parameter": (
        lambda link: link["parameters"].update(Number="$request.body#/PhoneNumber"),
        '.outcome.parameters.Number: is not a parameter of the list: the nearest is "PhoneNumber"',
    ),
    "no such argument": (
        lambda link: link["parameters"].update(PhoneNumber="$request.body#/Phone"),
        '.outcome.parameters.PhoneNumber: "Phone" is not an argument of the operation: the nearest',
    ),
    "a required parameter is missing": (
        lambda link: link["parameters"].pop("AccountSid"),
        ".outcome.parameters: needs AccountSid, which the list requires",
    ),
}


def lines(contract: dict[str, Any], folder: Path, edit: Callable[[Any], object]) -> list[str]:
    """List what is wrong with the contract after an edit of the purchase."""
    document = copy.deepcopy(contract)
    (purchase,) = (
        item["post"]
        for item in document["paths"].values()
        if item.get("post", {}).get("operationId") == "purchase"
    )
    edit(purchase)
    file = folder / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return check(file)


@pytest.mark.parametrize(("edit", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_link_is_refused_with_its_place_and_what_to_do(
    contract: dict[str, Any], tmp_path: Path, edit: Callable[[Link], object], words: str
) -> None:
    (line,) = lines(
        contract, tmp_path, lambda purchase: edit(purchase["responses"]["201"]["links"]["outcome"])
    )
    assert words in line


def test_what_is_looked_for_must_be_compared_with_what_was_asked_for(
    contract: dict[str, Any], tmp_path: Path
) -> None:
    (line,) = lines(contract, tmp_path, lambda purchase: purchase.pop("x-reply-repeats"))
    assert "needs x-reply-repeats on the operation: it says what to compare" in line


def test_the_list_must_hold_what_the_operation_returns(
    contract: dict[str, Any], tmp_path: Path
) -> None:
    def returns_another(purchase: Any) -> None:
        media = purchase["responses"]["201"]["content"]["application/json"]
        media["schema"] = contract["components"]["schemas"]["IncomingPhoneNumber"]

    (line,) = lines(contract, tmp_path, returns_another)
    assert "leads to a list whose items are not what the operation returns" in line
