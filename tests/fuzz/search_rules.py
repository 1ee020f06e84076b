"""What a search for numbers must find, as the descriptions of its filters say."""

import re
from typing import Any

import phonenumbers
from signalwire_compat_fuzz.document import AnyCase

from .links import operation_id

MOST_FOUND = 50
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_LETTERS = [str.maketrans("23456789", letters) for letters in ("adgjmptw", "CFILOSVZ")]


def patterns(number: str) -> list[str]:
    """Make patterns that fit a number, or nearly."""
    spelt = [number[-7:].translate(letters) for letters in _LETTERS]
    first, last = number[2:5], number[-4:]
    pieces = [f"{first}*{last}", f"*{first}**{last[2:]}*", f"{last}*{first}", f"{last}*{last[1:]}"]
    pieces += [f"{first}.{number[6:8]}", f"+{last}"]
    return [number, number[-5:], *pieces, f"jkl{last[:3]}?", f"{last}?", *spelt]


def is_like(number: str, pattern: str) -> bool:
    """Tell whether a number contains what a pattern stands for."""
    digits = pattern.upper().translate(_KEYPAD)
    parts = [re.escape(part) for part in digits.replace("?", ".").split("*")]
    return bool(re.search(".*".join(part.replace(r"\.", ".") for part in parts), number))


def filters(offer: dict[str, Any]) -> list[dict[str, Any]]:
    """Make filters of searches that find an offer, and some that nearly do."""
    number, region = offer["phone_number"], offer["region"]
    found: list[dict[str, Any]] = [{"Contains": text} for text in patterns(number)]
    found += [{"Contains": f"{number[-4:-2]}9", "Beta": is_new} for is_new in (True, False)]
    found += [{"AreaCode": number[2:end]} for end in (5, 4)]
    if region is not None:
        city = str(offer["rate_center"]).title()
        found += [{"InRegion": region}, {"InRegion": region[0]}]
        found += [{"InRegion": region.lower(), "InLocality": name} for name in (city, city[:-1])]
    return found


def assert_offer(offer: dict[str, Any], case: AnyCase) -> None:
    """Check that an offer is of the country and kind that were asked for, and fits the filters."""
    number = phonenumbers.parse(offer["phone_number"])
    assert offer["iso_country"] == case.path_parameters["IsoCountry"]
    assert is_asked_for(case, offer), f"it does not fit: {offer}"
    assert not offer["beta"] or case.query.get("Beta") in (True, "true"), "it is new"
    has_place = operation_id(case) == "search_local" and number.country_code == 1
    assert [offer[name] is not None for name in ("region", "rate_center")] == [has_place] * 2
    if phonenumbers.is_valid_number(number):
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        kind = phonenumbers.number_type(number)
        is_toll_free = kind == phonenumbers.PhoneNumberType.TOLL_FREE
        assert offer["friendly_name"] == national
        assert is_toll_free == (operation_id(case) == "search_toll_free")


def is_asked_for(case: AnyCase, offer: dict[str, Any]) -> bool:
    """Tell whether an offer fits the filters of a search."""
    asked, number = case.query, offer["phone_number"]
    is_beta = asked.get("Beta") in (True, "true")
    area = number[2:5] if number.startswith("+1") else None
    return (
        is_like(number, asked.get("Contains", ""))
        and asked.get("AreaCode", area) == area
        and ("InRegion" not in asked or asked["InRegion"].upper() == offer["region"])
        and ("InLocality" not in asked or asked["InLocality"].upper() == offer["rate_center"])
        and (is_beta or not offer["beta"])
    )
