"""The rules of the mock that no schema says: a valid case that breaks one is refused.

They are named by parameter, in whichever operation it is.
"""

import re

from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.document import AnyCase

_FORMAT, _INVALID, _NAME, _TOKEN, _UNKNOWN = 90000, 10000, 20002, 54453, 20404
_COUNTRIES = ("US", "CA", "GB")
_PATTERN = re.compile(r"\+?[0-9A-Za-z*?.]*")
_KNOWN = {
    name: doc.DOCUMENT["components"]["parameters"][name]["example"]
    for name in ("AccountSid", "Sid")
}
"""The only number of a forgetful mock."""
_SOLD = "+12025550199"
"""It as a phone number. Schemathesis takes it from a reply, and tries to buy it."""


def broken_rules(case: AnyCase) -> dict[str, int]:
    """Return the code of the refusal by the parameter that breaks a rule; none if none does."""
    given = doc.parameters(case)
    query = {name: value for name, value in given.items() if name in case.query}
    broken: dict[str, int] = {}
    is_known = given.get("AccountSid", "").lower() == _KNOWN["AccountSid"]
    if (
        "Sid" in given
        and doc.reply_key(case, 404)
        and not (is_known and given["Sid"] == _KNOWN["Sid"])
    ):
        broken["Sid"] = _UNKNOWN
    if "IsoCountry" in given and given["IsoCountry"] not in _COUNTRIES:
        broken["IsoCountry"] = _INVALID
    # A page above 0 needs a token, and no token is good for the first page.
    is_paged = "PageToken" in doc.parameter_schemas(case)
    if is_paged and ("PageToken" in query or query.get("Page", 0) not in (0, "0")):
        broken["PageToken"] = _TOKEN
    if "InLocality" in query and "InRegion" not in query:
        broken["InLocality"] = _FORMAT
    body = case.body if isinstance(case.body, dict) else {}
    if "FriendlyName" in body and not 1 <= len(str(body["FriendlyName"])) <= 64:
        # A schema that has limits of its own goes before.
        members = doc.named_members(doc.body_schema(case) or {})
        if "maxLength" not in members["FriendlyName"]:
            broken["FriendlyName"] = _NAME
    for name in ("PhoneNumber", "number"):
        if body.get(name) == _SOLD:
            broken[name] = _INVALID
    for name in ("Contains", "PhoneNumber"):
        if name in query and not _PATTERN.fullmatch(str(query[name])):
            broken[name] = _FORMAT
    return broken
