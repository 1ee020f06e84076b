"""What is for sale: countries, searches, and the way of a number from a search to an account."""

from collections.abc import Callable
from typing import Any

import pytest
from signalwire_compat import BadRequestError, RestClient, UnprocessableEntityError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT
from tests.mock.helpers import BASE, OTHER, Send, refused

FOR_SALE = f"{BASE}/Accounts/{PROJECT}/AvailablePhoneNumbers"
AUSTIN = [f"+1512555{line:04}" for line in range(100, 200)]
LOCAL, TOLL_FREE = "search_local", "search_toll_free"


@pytest.fixture
def numbers(client: RestClient) -> Any:
    return client.compat.phone_numbers


def found(numbers: Any, search: str, country: str, **filters: Any) -> list[str]:
    offers = getattr(numbers, search)(country, **filters).available_phone_numbers
    return [offer.phone_number for offer in offers]


def test_each_country_says_where_its_numbers_are_searched(numbers: Any, send: Send) -> None:
    countries = numbers.list_available_countries()
    assert countries.uri == FOR_SALE
    names = {country.country_code: country.country for country in countries.countries}
    assert names == {"US": "United States", "CA": "Canada", "GB": "United Kingdom"}
    for country in countries.countries:
        uris = country.subresource_uris
        assert [country.uri, uris.local, uris.toll_free] == [
            f"{FOR_SALE}/{country.country_code}{end}" for end in ("", "/Local", "/TollFree")
        ]
        for uri in (uris.local, uris.toll_free):
            offers = send("GET", uri).json()["available_phone_numbers"]
            assert {offer["iso_country"] for offer in offers} <= {country.country_code}


LOCAL_OFFER = {
    **dict.fromkeys(("lata", "locality", "latitude", "longitude", "postal_code")),
    "capabilities": {"voice": True, "SMS": True, "MMS": True},
    "beta": False,
}


@pytest.mark.parametrize(
    ("search", "country", "filters", "first"),
    [
        (
            LOCAL,
            "US",
            {"AreaCode": "512"},
            {"friendly_name": "(512) 555-0100", "region": "TX", "rate_center": "AUSTIN"},
        ),
        (
            LOCAL,
            "CA",
            {"InRegion": "QC"},
            {"friendly_name": "(514) 555-0100", "region": "QC", "rate_center": "MONTREAL"},
        ),
        (
            LOCAL,
            "CA",
            {"Contains": "4165550195", "Beta": True},
            {
                "friendly_name": "(416) 555-0195",
                "region": "ON",
                "rate_center": "TORONTO",
                "beta": True,
            },
        ),
        (TOLL_FREE, "US", {}, {"friendly_name": "(800) 555-0100"}),
        (
            LOCAL,
            "GB",
            {},
            {
                "friendly_name": "0113 496 0100",
                "capabilities": {"voice": True, "SMS": True, "MMS": False},
            },
        ),
    ],
)
def test_an_offer_says_what_the_number_is_and_the_purchase_says_the_same(
    numbers: Any, send: Send, search: str, country: str, filters: dict[str, Any], first: Any
) -> None:
    kind = "Local" if search == LOCAL else "TollFree"
    page = send("GET", f"{FOR_SALE}/{country}/{kind}", params=filters).json()
    offer = page["available_phone_numbers"][0]
    number = found(numbers, search, country, **filters)[0]
    own = {"region": None, "rate_center": None, "iso_country": country, "phone_number": number}
    assert offer == {**LOCAL_OFFER, **own, **first}
    assert page["uri"].startswith(f"{FOR_SALE}/{country}/{kind}")
    bought = numbers.purchase(PhoneNumber=number)
    assert (bought.friendly_name, bought.country_code) == (offer["friendly_name"], country)
    assert bought.beta == offer["beta"]
    able = {name.lower(): value for name, value in offer["capabilities"].items()}
    assert bought.capabilities.to_dict().items() >= able.items()


def test_every_number_for_sale_is_in_its_country(numbers: Any) -> None:
    wanted = {"US": {"TX", "NY", "CA"}, "CA": {"ON", "BC"}}
    for country, regions in wanted.items():
        for region in regions:
            number = found(numbers, LOCAL, country, InRegion=region)[0]
            assert numbers.purchase(PhoneNumber=number).country_code == country


@pytest.mark.parametrize(
    ("search", "country", "filters", "expected"),
    [
        (LOCAL, "US", {"AreaCode": "512"}, AUSTIN[:50]),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "55017"}, AUSTIN[70:80]),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "*7?"}, AUSTIN[70:80]),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "jkl01.7"}, AUSTIN[7:90:10]),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "+1*0107"}, AUSTIN[7:8]),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "0*512"}, []),
        (LOCAL, "US", {"AreaCode": "512", "InRegion": "NY"}, []),
        (LOCAL, "US", {"AreaCode": "999"}, []),
        (LOCAL, "US", {"AreaCode": "51"}, []),
        (LOCAL, "US", {"AreaCode": "512", "InRegion": "tx", "InLocality": "Austin"}, AUSTIN[:50]),
        (LOCAL, "US", {"AreaCode": "512", "InRegion": "TX", "InLocality": "Dallas"}, []),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "5019", "Beta": True}, AUSTIN[90:]),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "5019", "Beta": False}, []),
        (LOCAL, "US", {"AreaCode": "512", "Contains": "5019"}, []),
        (LOCAL, "US", {"AreaCode": "416"}, []),
        (LOCAL, "GB", {"AreaCode": "113"}, []),
        (LOCAL, "US", {"AreaCode": "800"}, []),
        (TOLL_FREE, "US", {"AreaCode": "888", "Contains": "0142"}, ["+18885550142"]),
        (TOLL_FREE, "US", {"AreaCode": "512"}, []),
        (TOLL_FREE, "GB", {}, []),
    ],
)
def test_a_search_finds_what_fits_its_filters(
    numbers: Any, search: str, country: str, filters: dict[str, Any], expected: list[str]
) -> None:
    assert found(numbers, search, country, **filters) == expected


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        *("ExcludeAllAddressRequired", "ExcludeForeignAddressRequired"),
        *("ExcludeLocalAddressRequired", "FaxEnabled", "MmsEnabled", "SmsEnabled", "VoiceEnabled"),
    ],
)
def test_a_filter_without_effect_is_accepted_and_ignored(
    numbers: Any, name: str, value: bool
) -> None:
    assert found(numbers, LOCAL, "GB", **{name: value}) == found(numbers, LOCAL, "GB") != []


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("US/Local?InLocality=Austin", 90000, "InLocality needs InRegion"),
        ("US/Local?Contains=5-5", 90000, "Contains is not a pattern"),
        ("US/TollFree?Contains=%C3%BC", 90000, "Contains is not a pattern"),
        ("FR/Local", 10000, "IsoCountry is not one of US, CA, GB"),
        ("us/TollFree", 10000, "IsoCountry is not one of US, CA, GB"),
        ("US/Local?Beta=yes", 10000, "Beta"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    send: Send, path: str, code: int, words: str
) -> None:
    assert words in refused(send("GET", f"{FOR_SALE}/{path}"), 400, code)


def test_a_number_is_found_until_anybody_has_it_and_again_after_its_release(
    numbers: Any, mock: MockServer
) -> None:
    with RestClient(OTHER, DEFAULT_TOKEN, mock.url) as client:
        others = client.compat.phone_numbers
        (number,) = found(numbers, LOCAL, "US", Contains="+15125550123")
        sid = others.purchase(PhoneNumber=number).sid
        for everybody in (numbers, others):
            assert found(everybody, LOCAL, "US", Contains="+15125550123") == []
        with pytest.raises(UnprocessableEntityError, match="already sold"):
            numbers.purchase(PhoneNumber=number)
        mock.advance(days=14)
        others.delete(sid)
    assert found(numbers, LOCAL, "US", Contains="+15125550123") == [number]
    assert numbers.purchase(PhoneNumber=number).phone_number == number


def test_all_numbers_of_an_area_code_can_be_bought_one_search_after_another(numbers: Any) -> None:
    bought = []
    while offers := found(numbers, LOCAL, "US", AreaCode="512", Beta=True):
        bought += [numbers.purchase(PhoneNumber=offer).phone_number for offer in offers]
    assert bought == AUSTIN


IMPORTED = {"number": "+15551234567", "number_type": "longcode"}


def test_an_import_is_refused_unless_the_mock_allows_it(
    numbers: Any, send: Send, serve: Callable[..., Send]
) -> None:
    path = f"{BASE}/Accounts/{PROJECT}/ImportedPhoneNumbers"
    error = send(path=path, data=IMPORTED).json()
    assert (error["code"], error["status"]) == ("10001", 422)
    with pytest.raises(UnprocessableEntityError) as caught:
        numbers.import_number(**IMPORTED)
    assert caught.value.code == 10001
    assert serve(allow_import=True)(path=path, data=IMPORTED).status_code == 201


@pytest.mark.parametrize(
    ("sent", "able", "verification"),
    [
        ({}, {"voice", "sms", "mms", "fax"}, None),
        ({"capabilities": ["sms"]}, {"sms"}, None),
        ({"capabilities": ["fax", "voice"], "number_type": "tollfree"}, {"voice", "fax"}, "Unver"),
    ],
)
def test_an_imported_number_is_hosted_and_free_and_released_at_once(
    mock: MockServer, numbers: Any, sent: dict[str, Any], able: set[str], verification: str | None
) -> None:
    mock.allow_import = True
    try:
        number = numbers.import_number(**{**IMPORTED, **sent})
        with pytest.raises(UnprocessableEntityError, match="has \\+15551234567 already"):
            numbers.import_number(**IMPORTED)
    finally:
        mock.allow_import = False
    assert (number.phone_number, number.origin) == (IMPORTED["number"], "hosted")
    assert {name for name, value in number.capabilities.to_dict().items() if value} == able
    assert str(number.to_dict().get("verification_status")).startswith(verification or "None")
    assert numbers.get(number.sid) == number
    with pytest.raises(UnprocessableEntityError, match="already sold"):
        numbers.purchase(PhoneNumber=IMPORTED["number"])
    assert mock.charges() == 0
    numbers.delete(number.sid)
    numbers.purchase(PhoneNumber=IMPORTED["number"])


def test_a_country_without_numbers_is_an_error_that_names_the_others(numbers: Any) -> None:
    with pytest.raises(BadRequestError, match="US, CA, GB"):
        numbers.search_toll_free("FR")
