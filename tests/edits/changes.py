"""Rows for changes of what the contract has: the purchase, its schemas, servers and errors."""

from __future__ import annotations

from typing import Any

from tests.edits.words import (
    FORM,
    GONE,
    JSON,
    PATH,
    TEXT,
    Document,
    Edit,
    Part,
    Row,
    both,
    change,
    content,
    field,
    fields,
    lose,
    member,
    members,
    parameter,
    purchase,
    ref,
    rename,
    require,
    responses,
    schema,
    schemas,
    text,
)

BOUGHT = "POST /Accounts/b3877c40-da60-4998-90ad-b792e98472ac/IncomingPhoneNumbers"
NUMBER = f"{BOUGHT} PhoneNumber=%2B15551234567"
ADDED, REMOVED, CHANGED = "compatible added", "breaking removed", "compatible changed"
TIGHTER, LOOSER, RENAMED = "breaking tightened", "compatible loosened", f"{ADDED}, {REMOVED}"
HEADERS: Document = {
    "X-Request-Id": {"required": True, "schema": TEXT},
    "X-Page": {"schema": {"type": "integer"}},
}


def buys(arguments: str = "", sent: str = "", then: str = "assert it.sid") -> tuple[str, str]:
    """Write the code of a purchase, and what it sends."""
    code = f"it = compat.phone_numbers.purchase(PhoneNumber='+15551234567'{arguments})\n{then}"
    return code, NUMBER + sent


def kind(name: str, status: str = "", *, first: bool = False) -> Edit:
    """Make an edit that adds a content type: text, or one with the schema of the others."""

    def edit(document: Document) -> None:
        kinds = content(status)(document)
        (old,) = items = list(kinds.items())
        new = {"schema": TEXT} if name.startswith("text/") else old[1]
        items.insert(0 if first else 1, (name, new))
        kinds.clear()
        kinds.update(items)

    return edit


def header(document: Document) -> Document:
    """Find the headers of the reply to the purchase."""
    found: Document = responses(document)["201"].setdefault("headers", {})
    return found


def errors(table: str) -> Part:
    return lambda document: schema("Error")(document)[f"x-error-{table}"]


def callback_query(document: Document) -> list[Any]:
    (item,) = purchase(document)["callbacks"]["IncomingCallStatus"].values()
    found: list[Any] = item["get"]["parameters"]
    return found


def move_category(document: Document) -> None:
    errors("categories")(document)["limit"]["statuses"].append(404)
    errors("categories")(document)["input"]["statuses"].remove(404)


def never_null(document: Document) -> None:
    members(document)["trunk_sid"]["type"] = "string"
    for example in content("201")(document)[JSON]["examples"].values():
        example["value"]["trunk_sid"] = "a"


def inside(name: str, before: Document, after: Document, says: str) -> Row:
    """Make a row for keywords that are added inside a field."""
    old, new = change(fields, Area=before), change(fields, Area={**before, **after})
    return Row(name, new, says, base=old)


def one_of(*options: Document) -> Document:
    return {"oneOf": list(options)}


HEADED = change(header, **HEADERS)
CAPABLE = change(members, capabilities=one_of(ref("Capabilities"), {"type": "null"}))

OPERATIONS = [
    Row("nothing", lambda document: None, ""),
    Row("an operation gone", lambda document: document["paths"].pop(PATH), REMOVED),
    Row("another path", lambda d: d["paths"].update({"/Numbers/{AccountSid}": d["paths"].pop(PATH)}), CHANGED, buys()[0], NUMBER.replace(BOUGHT[5:], "/Numbers/b3877c40-da60-4998-90ad-b792e98472ac")),
    Row("another tag", both(change(purchase, tags=["numbers"]), lambda d: d.update(tags=[{"name": "numbers", "description": "Numbers."}])), RENAMED, buys()[0].replace("phone_numbers.", "numbers."), NUMBER),
    Row("another operationId", change(purchase, operationId="buy"), RENAMED, buys()[0].replace("purchase(", "buy("), NUMBER),
    Row("another server", lambda d: d["servers"][0].update(url="https://x.y/z"), CHANGED),
    Row("a second server", lambda d: d["servers"].append({"url": "https://eu.example.com/v2", "description": "In Europe."}), ADDED, *buys()),
    Row("another description of a server", lambda d: d["servers"][0].update(description="x"), ""),
    Row("a deprecated operation", change(purchase, deprecated=True), CHANGED),
    Row("a deprecated parameter", lambda d: d["components"]["parameters"]["AccountSid"].update(deprecated=True), CHANGED),
    Row("other credentials", change(purchase, security=[]), CHANGED),
    Row("a new optional parameter", lambda d: purchase(d)["parameters"].append(parameter("X")), ADDED),
    Row("a new required parameter", lambda d: purchase(d)["parameters"].append({**parameter("X"), "required": True}), "breaking added"),
    Row("a field that is now a parameter", lambda d: purchase(d)["parameters"].append(parameter("SmsUrl", schema=fields(d).pop("SmsUrl"))), "breaking changed"),
    Row("a parameter gone", lambda d: purchase(d)["parameters"].clear(), REMOVED),
    Row("a parameter without its format", change(schema("AccountSid"), format=GONE), LOOSER),
]  # fmt: skip

REQUESTS = [
    Row("a new optional field", change(fields, Area=text()), ADDED, *buys(", Area='1'", "&Area=1")),
    Row("a new required field", both(change(fields, Area=text()), require("PurchaseRequest", "Area")), "breaking added", *buys(", Area='1'", "&Area=1")),
    Row("a field gone", change(fields, SmsUrl=GONE), REMOVED, *buys()),
    Row("a field renamed", rename(fields, "SmsUrl", "SmsWebhook"), RENAMED, *buys(", SmsWebhook='https://a.b'", "&SmsWebhook=https%3A%2F%2Fa.b")),
    Row("a deprecated field", change(field("SmsUrl"), deprecated=True), CHANGED),
    Row("a field that becomes required", require("PurchaseRequest", "SmsUrl"), TIGHTER),
    Row("a field that is no longer required", require("PurchaseRequest", "PhoneNumber", required=False), LOOSER),
    Row("a field of another type", change(field("FriendlyName"), type="integer"), "breaking changed"),
    Row("a field of another type and format", both(change(fields, SmsUrl={"type": "integer", "description": "A number for it."}), lose("sms_url")), f"breaking changed, {LOOSER}, {REMOVED}", *buys(", SmsUrl=7", "&SmsUrl=7")),
    Row("one more type", change(field("FriendlyName"), type=["string", "null"]), LOOSER),
    Row("no type", change(field("PhoneNumber"), type=[]), LOOSER),
    Row("a field that is a date", change(fields, Day=text(format="date")), ADDED, *buys(", Day=datetime.date(2026, 1, 31)", "&Day=2026-01-31")),
    Row("a format gone", change(field("SmsUrl"), format=GONE), LOOSER, *buys(", VoiceUrl='https://a.b'", "&VoiceUrl=https%3A%2F%2Fa.b")),
    Row("a new format", change(field("FriendlyName"), format="email"), TIGHTER, *buys(", FriendlyName='a@b.c'", "&FriendlyName=a%40b.c", "assert it.friendly_name == 'a@b.c'")),
    Row("another default", change(field("SmsMethod"), default="GET"), "breaking changed", *buys(then="assert it.sms_method == 'GET'")),
    Row("a default gone", change(field("SmsMethod"), default=GONE), CHANGED, *buys()),
    Row("one more allowed value", change(schema("VoiceReceiveMode"), enum=["voice", "fax", "both"]), LOOSER, *buys(", VoiceReceiveMode='both'", "&VoiceReceiveMode=both")),
    Row("an allowed value gone", both(change(schema("VoiceReceiveMode"), enum=["fax"]), change(field("VoiceReceiveMode"), default=GONE)), f"{CHANGED}, {TIGHTER}", *buys(", VoiceReceiveMode='fax'", "&VoiceReceiveMode=fax")),
    Row("new allowed values", change(field("FriendlyName"), enum=["a"]), TIGHTER),
    Row("a tighter limit", change(field("PhoneNumber"), maxLength=13), TIGHTER, *buys()),
    Row("a higher maximum", change(field("PhoneNumber"), maxLength=20), LOOSER),
    Row("a higher minimum", change(field("PhoneNumber"), minLength=7), TIGHTER),
    Row("a looser limit", change(field("PhoneNumber"), minLength=3), LOOSER, *buys()),
    Row("a limit gone", change(field("PhoneNumber"), maxLength=GONE), LOOSER),
    Row("a new limit", change(field("FriendlyName"), maxLength=64), TIGHTER),
    Row("another pattern", change(field("PhoneNumber"), pattern="^.$"), "breaking changed"),
    Row("a pattern gone", change(field("PhoneNumber"), pattern=GONE), LOOSER),
    Row("an open request", change(schema("PurchaseRequest"), additionalProperties=GONE), LOOSER),
    Row("other words in any script", change(field("SmsUrl"), description='Says """hi""", \\N{x} \\ and “日本語” \'\'\''), "", *buys()),
    Row("another name of a schema", both(rename(schemas, "Capabilities", "Abilities"), change(members, capabilities=ref("Abilities"))), "", *buys(then="assert isinstance(it.capabilities, m.Abilities)"), breaks_names=True),
    Row("a schema written in place", lambda d: change(content(), **{FORM: {"schema": schema("PurchaseRequest")(d)}})(d), ""),
    Row("a body in JSON", rename(content(), FORM, JSON), CHANGED, buys()[0], f'{BOUGHT} {{"PhoneNumber": "+15551234567"}}'),
    Row("JSON beside a form", kind(JSON), f"{CHANGED}, breaking changed"),
    Row("a body that becomes optional", lambda d: purchase(d)["requestBody"].update(required=False), f"breaking changed, {LOOSER}"),
    Row("no body", change(purchase, requestBody=GONE), REMOVED),
    inside("items of any type that get one", {"type": "array"}, {"items": {"type": "integer"}}, TIGHTER),
    inside("unnamed members of another type", {"additionalProperties": TEXT}, {"additionalProperties": {"type": "integer"}}, "breaking changed"),
    inside("null as one more alternative", {"anyOf": [{"type": "integer"}]}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, LOOSER),
    inside("an alternative gone", one_of({"type": "integer"}, TEXT), one_of(TEXT), TIGHTER),
    inside("a limit of an alternative", one_of(TEXT, {"type": "null"}), one_of({**TEXT, "maxLength": 3}, {"type": "null"}), TIGHTER),
    inside("a keyword that changes nothing", {"type": "array"}, {"uniqueItems": False}, ""),
    inside("a whole number that becomes any number", {"type": "integer"}, {"type": "number"}, LOOSER),
]  # fmt: skip

REPLIES = [
    Row("a new member", change(members, weight={"type": "number", "description": "In g."}), ADDED, *buys(then="assert isinstance(it.weight, Unset)")),
    Row("a member gone", lose("beta"), REMOVED, *buys()),
    Row("a member that may be absent", require("IncomingPhoneNumber", "sid", required=False), "breaking loosened"),
    Row("a member that is always there", require("IncomingPhoneNumber", "verification_status"), CHANGED),
    Row("a member that may be null", change(member("sid"), type=["string", "null"]), "breaking loosened", *buys()),
    Row("a member that is never null", never_null, "compatible tightened", *buys(then="assert it.trunk_sid == 'a'")),
    Row("a member of another type", change(member("beta"), type="string"), "breaking changed"),
    Row("a member that becomes a date", change(member("date_created"), format="date-time"), TIGHTER),
    Row("one more value in replies", change(schema("Origin"), enum=["signalwire", "hosted", "moon"]), LOOSER, *buys(then="assert it.origin == 'signalwire'")),
    Row("a value gone in replies", change(schema("Origin"), enum=["signalwire"]), "compatible tightened"),
    Row("a limit in replies", change(member("sid"), maxLength=36), "compatible tightened"),
    Row("a member gone behind a choice with null", change(lambda d: schema("Capabilities")(d)["properties"], fax=GONE), REMOVED, base=CAPABLE),
    Row("text beside the JSON of a reply", kind("text/csv", "201"), CHANGED),
    Row("text before the JSON of a reply", kind("text/csv", "201", first=True), "breaking changed"),
    Row("an unreadable type before the JSON of a reply", kind("application/xml", "201", first=True), CHANGED),
    Row("text before the JSON of an error", kind("text/plain", "422", first=True), "breaking changed"),
    Row("text beside the JSON of an error", kind("text/plain", "422"), CHANGED),
    Row("an error without a body", lambda d: content("422")(d).clear(), "breaking changed"),
    Row("another success of the purchase", rename(responses, "201", "200"), "breaking added, breaking removed", *buys()),
    Row("a new error", lambda d: responses(d).update({"409": responses(d)["422"]}), ADDED),
    Row("an error no longer documented", change(responses, **{"400": GONE}), "compatible removed", *buys()),
    Row("new headers", HEADED, f"{ADDED}, {ADDED}"),
    Row("a header gone", change(header, **{"X-Request-Id": GONE}), REMOVED, base=HEADED),
    Row("a header that may be absent", lambda d: header(d)["X-Request-Id"].update(required=False), "breaking loosened", base=HEADED),
    Row("a header of another type", lambda d: header(d)["X-Page"].update(schema=TEXT), "breaking changed", base=HEADED),
    Row("a deprecated header", lambda d: header(d)["X-Page"].update(deprecated=True), CHANGED, base=HEADED),
    Row("a header in another case", rename(header, "X-Page", "x-page"), "", base=HEADED),
    Row("another category of an error code", lambda d: errors("codes")(d)["4001"].update(category="input"), "breaking changed"),
    Row("another category of a status", move_category, "breaking changed"),
    Row("a new error code", change(errors("codes"), **{"4999": {"status": 422, "category": "input", "when": "x"}}), ADDED),
    Row("a member of the callback gone", lambda d: schema("IncomingCallStatus")(d)["properties"].pop("From"), f"{REMOVED}, {REMOVED}"),
    Row("a query of the callback gone", lambda d: callback_query(d).clear(), REMOVED),
    Row("a callback gone", change(purchase, callbacks=GONE), f"{REMOVED}, {REMOVED}"),
]  # fmt: skip

CHANGES = [*OPERATIONS, *REQUESTS, *REPLIES]
