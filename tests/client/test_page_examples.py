"""The example of each page of the provider runs as it stands, but for import and placeholders."""

from typing import Any

import pytest
from signalwire_compat import RestClient
from signalwire_compat.models import (
    AvailableCountries,
    AvailablePhoneNumbers,
    IncomingPhoneNumber,
    IncomingPhoneNumberPage,
)
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT, operations

CLIENT = """
from signalwire_compat import RestClient

client = RestClient(
    project="your-project-id",
    token="your-api-token",
    host="your-space.signalwire.com",
)
"""
# The call of each page, and what it returns. The index page lists the calls of the others.
PAGES: dict[str, tuple[str, Any]] = {
    "list": ("list(PageSize=20)", IncomingPhoneNumberPage),
    "purchase": (
        'purchase(PhoneNumber="+15551234567", FriendlyName="Main Line")',
        IncomingPhoneNumber,
    ),
    "get": ('get("PN...")', IncomingPhoneNumber),
    "update": ('update("PN...", VoiceUrl="https://example.com/voice")', IncomingPhoneNumber),
    "delete": ('delete("PN...")', type(None)),
    "import_number": (
        'import_number(number="+13103386745", number_type="longcode")',
        IncomingPhoneNumber,
    ),
    "list_available_countries": ("list_available_countries()", AvailableCountries),
    "search_local": ('search_local("US", AreaCode="512")', AvailablePhoneNumbers),
    "search_toll_free": ('search_toll_free("US", Contains="800")', AvailablePhoneNumbers),
}


@pytest.fixture
def sid(mock: MockServer, client: RestClient) -> str:
    """Buy a number, old enough to be released, on a Space that may import others."""
    mock.allow_import = True
    bought = client.compat.phone_numbers.purchase(PhoneNumber="+15550001234").sid
    mock.advance(days=14)
    return bought


def run(mock: MockServer, sid: str, *calls: str) -> list[Any]:
    """Run a program of these calls, with the mock's settings in the place of the page's."""
    lines = (f"results.append(client.compat.phone_numbers.{call})\n" for call in calls)
    code = CLIENT + "".join(lines)
    for placeholder, value in (
        ("your-project-id", PROJECT),
        ("your-api-token", DEFAULT_TOKEN),
        ("your-space.signalwire.com", mock.url),
        ("PN...", sid),
    ):
        code = code.replace(placeholder, value)
    names: dict[str, Any] = {"results": []}
    exec(code, names)  # noqa: S102  # the table's own code
    names["client"].close()
    results: list[Any] = names["results"]
    return results


@pytest.mark.parametrize("name", PAGES)
def test_the_example_of_a_page_runs_as_it_stands(mock: MockServer, sid: str, name: str) -> None:
    call, kind = PAGES[name]
    (result,) = run(mock, sid, call)
    assert isinstance(result, kind)
    exchange = mock.journal[-1]
    assert (exchange.operation_id, exchange.refusal) == (name, None)
    assert 200 <= exchange.status < 300


def test_the_calls_of_the_index_page_run_one_after_the_other(
    mock: MockServer, sid: str, contract: dict[str, Any]
) -> None:
    assert [*PAGES] == operations(contract)
    last = ("delete",)
    calls = [PAGES[name][0] for name in (*(name for name in PAGES if name not in last), *last)]
    run(mock, sid, *calls)
    assert {exchange.operation_id for exchange in mock.journal} == {*PAGES}
    assert {exchange.refusal for exchange in mock.journal} == {None}
