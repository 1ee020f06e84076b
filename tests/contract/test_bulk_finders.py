"""Links say which search finds what another operation takes; a wrong one is refused."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.bulk_finders import candidates
from codegen.validate import check

Link = dict[str, Any]
SEARCH = "/Accounts/{AccountSid}/AvailablePhoneNumbers/{IsoCountry}/Local"
PLACE = "$response.body#/available_phone_numbers/0/phone_number"
WRONG: dict[str, tuple[Link, str]] = {
    "no such list": (
        {"PhoneNumber": "$response.body#/numbers/0/phone_number"},
        '.requestBody.PhoneNumber: the reply has no "numbers": the nearest is "available_phone',
    ),
    "no list": (
        {"PhoneNumber": "$response.body#/uri/0/phone_number"},
        '.requestBody.PhoneNumber: an item of uri has no "phone_number": remove this entry',
    ),
    "no such member": (
        {"PhoneNumber": "$response.body#/available_phone_numbers/0/number"},
        'an item of available_phone_numbers has no "number": the nearest is "phone_number"',
    ),
    "no such argument": (
        {"Number": PLACE},
        '.requestBody.Number: is not an argument: the nearest is "PhoneNumber"',
    ),
}


def with_link(contract: dict[str, Any], link: Link) -> dict[str, Any]:
    """Give the search another link to the purchase."""
    document = copy.deepcopy(contract)
    document["paths"][SEARCH]["get"]["responses"]["200"]["links"] = {
        "purchase": {"operationId": "purchase", **link}
    }
    return document


@pytest.mark.parametrize("name", WRONG)
def test_a_link_that_finds_nothing_is_refused_by_its_place(
    contract: dict[str, Any], tmp_path: Path, name: str
) -> None:
    body, problem = WRONG[name]
    file = tmp_path / "openapi.yaml"
    document = with_link(contract, {"requestBody": body})
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    (line,) = check(file)
    assert problem in line


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda link: link, True),
        (lambda link: {"parameters": link["requestBody"]}, True),
        (lambda link: {**link, "operationId": "buy"}, False),
        (lambda link: {"requestBody": PLACE}, False),
        (lambda link: {"requestBody": {"PhoneNumber": "$request.query.Contains"}}, False),
        (lambda link: {}, False),
    ],
)
def test_a_link_from_a_list_says_what_a_search_finds(
    contract: dict[str, Any], edit: Callable[[Link], Link], found: bool
) -> None:
    document = with_link(contract, edit({"requestBody": {"PhoneNumber": PLACE}}))
    key = ("phone_numbers.search_local", "phone_numbers.purchase")
    members = ("available_phone_numbers", {"PhoneNumber": "phone_number"})
    assert candidates(document).keys() <= {key, (key[0].replace("local", "toll_free"), key[1])}
    assert candidates(document).get(key) == (members if found else None)
