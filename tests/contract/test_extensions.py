"""The extensions of openapi.yaml that client and mock obey say what the docs promise.

Client, mock and fuzz tests all read them there: only facts from elsewhere can tell a wrong one.
"""

from collections.abc import Iterator
from typing import Any

from tests.conftest import only
from tests.contract.pages import MIRRORED

Document = dict[str, Any]

HELD_ELSEWHERE = {
    "x-columns",
    "x-error-categories",
    "x-error-codes",
    "x-fern-basic",
    "x-source",
}
"""Held by the tests of errors, settings, lint and the command."""

SCHEMAS = "components.schemas"
SAME_SID = {"sid": {"argument": "Sid", "compare": "exact"}}
# What each extension says, by where it is: the operation, or the names on the way to it.
FACTS: dict[str, dict[str, Any]] = {
    # docs/errors.md: a success about another number than the one asked for is an exception. A
    # number may come back in another notation; a SID may not.
    "x-reply-repeats": {
        "purchase": {"phone_number": {"argument": "PhoneNumber", "compare": "digits"}},
        "import_number": {"phone_number": {"argument": "number", "compare": "digits"}},
        "get": SAME_SID,
        "update": SAME_SID,
    },
    "x-caution": {
        "purchase": "A purchase costs money, and can't be undone for 14 days (30 days in trial)."
    },
    "x-pages": {"list": {"items": "incoming_phone_numbers", "next": "next_page_uri"}},
    # README.md: a lost reply is looked for in the list of the account's numbers.
    "x-look-up": {
        f"{operation}.responses.201.links.outcome": {
            "operationId": "list",
            "parameters": {
                "AccountSid": "$request.path.AccountSid",
                "PhoneNumber": f"$request.body#/{argument}",
            },
            "x-look-up": {"created": "date_created"},
        }
        for operation, argument in (("purchase", "PhoneNumber"), ("import_number", "number"))
    },
    "x-client-default": {"components.parameters.AccountSid": "account"},
    "x-also-accepted": {
        "servers.0": {
            "base-paths": ["/2010-04-01"],
            "suffix": ".json",
            "query": ["PageSize"],
            "json": True,
        }
    },
    "x-must-be": {
        "components.parameters.Sid.schema": "a SID, without a slash",
        f"{SCHEMAS}.PurchaseRequest.properties.PhoneNumber": 'E.164: "+" and 5 to 17 digits',
        f"{SCHEMAS}.ImportRequest.properties.number": 'E.164: "+" and 5 to 30 digits',
    },
}


def extensions(node: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[str, str, Any]]:
    """List key, place and value of each extension."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return
    if "operationId" in node and "responses" in node:
        where = (node["operationId"],)
    for key, value in node.items():
        if str(key).startswith("x-"):
            # A look-up is about the whole link.
            link = {name: part for name, part in node.items() if name != "description"}
            yield str(key), ".".join(where), link if key == "x-look-up" else value
        else:
            yield from extensions(value, (*where, str(key)))


def test_each_extension_says_what_the_docs_promise(contract: Document) -> None:
    found: dict[str, dict[str, Any]] = {}
    for key, where, value in extensions(only(contract, *MIRRORED.values())):
        if key not in HELD_ELSEWHERE:
            found.setdefault(key, {})[where] = value
    assert found == FACTS
