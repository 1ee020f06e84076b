"""What records, pages and refusals of the mock must say."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import phonenumbers
import signalwire_compat
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.client_calls import Outcome, python_name
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.expected_error import CLASSES
from signalwire_compat_fuzz.expected_request import as_text


def assert_same(said: dict[str, Any], right: dict[str, Any]) -> None:
    names = sorted(said.keys() | right.keys())
    differing = {n: (said.get(n), right.get(n)) for n in names if said.get(n) != right.get(n)}
    assert differing == {}, f"members and what they must be: {differing}"


def assert_echoed(sent: dict[str, Any], record: dict[str, Any], schema: doc.Schema) -> None:
    """Check that a record says what was sent, and the documented default of what was not."""
    for name, member in doc.named_members(schema).items():
        value = sent.get(name, member.get("default"))
        in_record = python_name(name)
        if in_record in record and in_record != "capabilities":
            is_chosen = value is None and in_record == "friendly_name"
            assert is_chosen or record[in_record] == value, name


def assert_record(record: dict[str, Any], sent: dict[str, Any], day: int) -> None:
    """Check what a new record says beyond what was sent: its account, its place, name and date."""
    account, sid, number = sent["AccountSid"], record["sid"], record["phone_number"]
    assert record["account_sid"] == record["account_id"] == account
    uri = f"{doc.BASE_PATH}/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"
    assert record["uri"] == uri
    assert_date(record["date_created"], day)
    assert record["date_updated"] == record["date_created"]
    assert record["api_version"] == doc.DOCUMENT["info"]["version"]
    national, country, is_toll_free = number, "", sent.get("number_type") == "tollfree"
    with suppress(phonenumbers.NumberParseException):
        known = phonenumbers.parse(number)
        national = phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.NATIONAL)
        of_code = phonenumbers.region_code_for_country_code(known.country_code or 0)
        country = phonenumbers.region_code_for_number(known) or of_code
        kind = phonenumbers.number_type(known)
        is_toll_free = is_toll_free or kind == phonenumbers.PhoneNumberType.TOLL_FREE
    assert record["country_code"] == (country if country.isalpha() else "US")
    assert record["friendly_name"] == sent.get("FriendlyName", national)
    assert ("verification_status" in record) == is_toll_free
    states = {name: record[name] for name in ("address_requirements", "emergency_status")}
    assert states == {"address_requirements": "none", "emergency_status": "Inactive"}


def assert_leads_to(uri: str, case: AnyCase, asked: dict[str, Any]) -> None:
    """Check that a URI leads to what a case asked for, with the arguments that it had."""
    place, query = urlsplit(uri).path, dict(parse_qsl(urlsplit(uri).query, keep_blank_values=True))
    assert place == doc.BASE_PATH + case.operation.path.format(**case.path_parameters)
    query = {name: text for name, text in query.items() if name != "PageToken" or name in asked}
    assert query == {name: as_text(value) for name, value in asked.items()}


def assert_pages(case: AnyCase, pages: list[Any], asked: list[int]) -> None:
    """Check that each page is full but the last, and names those around it.

    `asked` says how many had been asked for when each item came.
    """
    size: Any = case.query.get("PageSize", doc.parameter_schemas(case)["PageSize"]["default"])
    uris = [page["uri"] for page in pages]
    items = case.operation.definition.raw["x-pages"]["items"]
    for number, page in enumerate(pages):
        is_last = number == len(pages) - 1
        assert (page["page"], page["page_size"]) == (number, size)
        assert (page[items] or number == 0) if is_last else len(page[items]) == size
        assert len(page[items]) <= size
        assert_leads_to(uris[number], case, {**case.query, "Page": number, "PageSize": size})
        around = [uris[0], *(uris[number - 1 : number] or [None]), *(uris[number + 1 :] or [None])]
        names = ("first_page_uri", "previous_page_uri", "next_page_uri")
        assert [page[name] for name in names] == around[:3]
    assert asked == [number + 1 for number, page in enumerate(pages) for _ in page[items]]


def assert_date(text: str, day: int) -> None:
    """Check that a date has its day of the week, and is now, `day` days ahead."""
    date = parsedate_to_datetime(text)
    assert text.startswith(f"{date:%a}, ")
    assert abs(date - datetime.now(UTC) - timedelta(days=day)) < timedelta(minutes=10)


def assert_refused_with(outcome: Outcome, status: int, code: int) -> None:
    expected = getattr(signalwire_compat, CLASSES[status])
    assert type(outcome.error) is expected, f"{outcome} in place of {expected.__name__}"
    assert getattr(outcome.error, "code", None) == code, repr(outcome.error)
    said: Any = getattr(outcome.error, "body", {})
    assert (said["status"], int(said["code"])) == (status, code), said
    assert said["message"].strip()
    assert said["more_info"].startswith("https://")
