"""Rows for changes of what the contract has: operations, schemas, servers and errors."""

from __future__ import annotations

from tests.conftest import PROJECT
from tests.edits.helpers import *

BOUGHT = "POST /Accounts/b3877c40-da60-4998-90ad-b792e98472ac/IncomingPhoneNumbers"
NUMBER = f"{BOUGHT} PhoneNumber=%2B15551234567"
ADDED, REMOVED, CHANGED = "compatible added", "breaking removed", "compatible changed"
TIGHTER, LOOSER, RENAMED = "breaking tightened", "compatible loosened", f"{ADDED}, {REMOVED}"
CALLBACK = "{$request.body#/StatusCallback}"
HEADERS: Document = {
    "X-Request-Id": {"required": True, "schema": TEXT},
    "X-Page": {"schema": {"type": "integer"}},
}


def buys(arguments: str = "", sent: str = "", then: str = "assert it.sid") -> tuple[str, str]:
    """Write the code of a purchase, and what it sends."""
    code = f"it = compat.phone_numbers.purchase(PhoneNumber='+15551234567'{arguments})\n{then}"
    return code, NUMBER + sent


def deprecated(words: str) -> str:
    """Write the code that finds these words, and no other deprecation, where callers read."""
    doc = "str(compat.phone_numbers.purchase.__doc__)"
    return f"assert {words!r} in {doc} and {doc}.count('Deprecated.') == 1"


def kind(name: str, place: str, *, first: bool = False) -> Edit:
    """Make an edit that adds a content type: text, or one with the schema of the others."""

    def edit(document: Document) -> None:
        kinds = find(document, f"{place} content")
        (old,) = items = list(kinds.items())
        new = {"schema": TEXT} if name.startswith("text/") else old[1]
        items.insert(0 if first else 1, (name, new))
        kinds.clear()
        kinds.update(items)

    return edit


def never_null(document: Document) -> None:
    find(document, "members trunk_sid")["type"] = "string"
    for example in find(document, f"responses 201 content {JSON} examples").values():
        example["value"]["trunk_sid"] = "a"


def inside(name: str, before: Document, after: Document, says: str) -> Row:
    """Make a row for keywords that are added inside a field."""
    old, new = change("fields", Area=before), change("fields", Area={**before, **after})
    return Row(name, new, says, base=old)


def one_of(*options: Document) -> Document:
    return {"oneOf": list(options)}


HEADED = change("responses 201", headers=HEADERS)
CAPABLE = change("members", capabilities=one_of(ref("Capabilities"), {"type": "null"}))

OPERATIONS = [
    Row("nothing", lambda document: None, ""),
    Row("an operation gone", change("paths", **{PATH: GONE}), REMOVED),
    Row("another path", rename("paths", PATH, "/Numbers/{AccountSid}"), CHANGED, buys()[0], NUMBER.replace(BOUGHT[5:], "/Numbers/b3877c40-da60-4998-90ad-b792e98472ac")),
    Row("another tag", both(change("purchase", tags=["numbers"]), change("tags 0", name="numbers")), RENAMED, buys()[0].replace("phone_numbers.", "numbers."), NUMBER),
    Row("another operationId", change("purchase", operationId="buy"), RENAMED, buys()[0].replace("purchase(", "buy("), NUMBER),
    Row("another server", change("servers 0", url="https://x.y/z"), CHANGED),
    Row("a second server", append("servers", {"url": "https://eu.example.com/v2", "description": "In Europe."}), ADDED, *buys(then="with pytest.raises(ValueError, match='Documented as well: https://eu'):\n    RestClient('a', 'b', 'not a host')")),
    Row("another description of a server", change("servers 0", description="x"), ""),
    Row("a deprecated operation", change("purchase", deprecated=True), CHANGED, *buys(then=deprecated("for an account.\n\n        Deprecated.\n"))),
    Row("a deprecated parameter", change("components parameters AccountSid", deprecated=True), CHANGED),
    Row("a server of its own", change("purchase", servers=[{"url": "https://example.com/v2"}]), CHANGED),
    Row("credentials of another kind", change("components securitySchemes ProjectToken", scheme="bearer"), CHANGED),
    Row("other credentials", change("purchase", security=[]), CHANGED),
    Row("a new optional parameter", append("purchase parameters", parameter("X")), ADDED),
    Row("a new required parameter", append("purchase parameters", {**parameter("X"), "required": True}), "breaking added"),
    Row("a field that is now a parameter", lambda d: find(d, "purchase parameters").append(parameter("SmsUrl", schema=find(d, "fields").pop("SmsUrl"))), "breaking changed"),
    Row("a parameter gone", change("purchase", parameters=[]), REMOVED),
    Row("a parameter without its format", change("schemas AccountSid", format=GONE), LOOSER),
]  # fmt: skip

REQUESTS = [
    Row("a new optional field", change("fields", Area=text()), ADDED, *buys(", Area='1'", "&Area=1")),
    Row("a new required field", both(change("fields", Area=text()), append("schemas PurchaseRequest required", "Area")), "breaking added", *buys(", Area='1'", "&Area=1")),
    Row("a field gone", change("fields", SmsUrl=GONE), REMOVED, *buys()),
    Row("a field renamed", rename("fields", "SmsUrl", "SmsWebhook"), RENAMED, *buys(", SmsWebhook='https://a.b'", "&SmsWebhook=https%3A%2F%2Fa.b")),
    Row("a deprecated field", change("fields SmsUrl", deprecated=True), CHANGED, *buys(then=deprecated("a message to the number comes in. Deprecated."))),
    Row("a field that becomes required", append("schemas PurchaseRequest required", "SmsUrl"), TIGHTER),
    Row("a field that is no longer required", lambda d: find(d, "schemas PurchaseRequest required").remove("PhoneNumber"), LOOSER),
    Row("a field of another type", change("fields FriendlyName", type="integer"), "breaking changed"),
    Row("a field of another type and format", both(change("fields", SmsUrl={"type": "integer", "description": "A number for it."}), lose("sms_url")), f"breaking changed, {LOOSER}, {REMOVED}", *buys(", SmsUrl=7", "&SmsUrl=7")),
    Row("one more type", change("fields FriendlyName", type=["string", "null"]), LOOSER),
    Row("no type", change("fields PhoneNumber", type=[]), LOOSER),
    Row("a field that is a date", change("fields", Day=text(format="date")), ADDED, *buys(", Day=datetime.date(2026, 1, 31)", "&Day=2026-01-31")),
    Row("a format gone", change("fields SmsUrl", format=GONE), LOOSER, *buys(", VoiceUrl='https://a.b'", "&VoiceUrl=https%3A%2F%2Fa.b")),
    Row("a new format", change("fields FriendlyName", format="email"), TIGHTER, *buys(", FriendlyName='a@b.c'", "&FriendlyName=a%40b.c", "assert it.friendly_name == 'a@b.c'")),
    Row("another default", change("fields SmsMethod", default="GET"), "breaking changed", *buys(then="assert it.sms_method == 'GET'")),
    Row("a default gone", change("fields SmsMethod", default=GONE), CHANGED, *buys()),
    Row("one more allowed value", change("schemas VoiceReceiveMode", enum=["voice", "fax", "both"]), LOOSER, *buys(", VoiceReceiveMode='both'", "&VoiceReceiveMode=both")),
    Row("an allowed value gone", both(change("schemas VoiceReceiveMode", enum=["fax"]), change("fields VoiceReceiveMode", default=GONE)), f"{CHANGED}, {TIGHTER}", *buys(", VoiceReceiveMode='fax'", "&VoiceReceiveMode=fax")),
    Row("new allowed values", change("fields FriendlyName", enum=["a"]), TIGHTER),
    Row("a tighter limit", change("fields PhoneNumber", maxLength=13), TIGHTER, *buys()),
    Row("a higher maximum", change("fields PhoneNumber", maxLength=20), LOOSER),
    Row("a higher minimum", change("fields PhoneNumber", minLength=7), TIGHTER),
    Row("a looser limit", change("fields PhoneNumber", minLength=3), LOOSER, *buys()),
    Row("a limit gone", change("fields PhoneNumber", maxLength=GONE), LOOSER),
    Row("a new limit", change("fields FriendlyName", maxLength=64), TIGHTER),
    Row("another pattern", change("fields PhoneNumber", pattern="^.$"), "breaking changed"),
    Row("a pattern gone", change("fields PhoneNumber", pattern=GONE), LOOSER),
    Row("an open request", change("schemas PurchaseRequest", additionalProperties=GONE), LOOSER),
    Row("other words in any script", change("fields SmsUrl", description='Says """hi""", \\N{x} \\ and “日本語” \'\'\''), "", *buys()),
    Row("another name of a schema", both(rename("schemas", "Capabilities", "Abilities"), change("members", capabilities=ref("Abilities"))), "", *buys(then="assert isinstance(it.capabilities, m.Abilities)"), breaks_names=True),
    Row("a schema written in place", lambda d: find(d, f"purchase requestBody content {FORM}").update(schema=find(d, "schemas PurchaseRequest")), ""),
    Row("a body in JSON", rename("purchase requestBody content", FORM, JSON), CHANGED, buys()[0], f'{BOUGHT} {{"PhoneNumber": "+15551234567"}}'),
    Row("JSON beside a form", kind(JSON, "purchase requestBody"), ""),
    Row("a body that becomes optional", change("purchase requestBody", required=False), f"breaking changed, {LOOSER}"),
    Row("no body", change("purchase", requestBody=GONE), REMOVED),
    inside("items of any type that get one", {"type": "array"}, {"items": {"type": "integer"}}, TIGHTER),
    inside("unnamed members of another type", {"additionalProperties": TEXT}, {"additionalProperties": {"type": "integer"}}, "breaking changed"),
    inside("null as one more alternative", {"anyOf": [{"type": "integer"}]}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, LOOSER),
    inside("an alternative gone", one_of({"type": "integer"}, TEXT), one_of(TEXT), TIGHTER),
    inside("a limit of an alternative", one_of(TEXT, {"type": "null"}), one_of({**TEXT, "maxLength": 3}, {"type": "null"}), TIGHTER),
    inside("a keyword that changes nothing", {"type": "array"}, {"uniqueItems": False}, ""),
    inside("a whole number that becomes any number", {"type": "integer"}, {"type": "number"}, LOOSER),
]  # fmt: skip

REPLIES = [
    Row("a new member", change("members", weight={"type": "number", "description": "In g."}), ADDED, *buys(then="assert isinstance(it.weight, Unset)")),
    Row("a new member that is a time of RFC 2822", change("members", sold={"type": ["string", "null"], "format": "rfc2822", "description": "When."}), ADDED, *buys(then="assert [it.sold_datetime] == [None]\nit.sold = 'Tue, 1 Sept 2026 10:00:00 -0500'\nassert_type(it.sold_datetime, datetime.datetime | None)\nassert it.sold_datetime == datetime.datetime.fromisoformat('2026-09-01T15:00:00Z')")),
    Row("a member gone", lose("beta"), REMOVED, *buys()),
    Row("a member that may be absent", lambda d: find(d, "schemas IncomingPhoneNumber required").remove("sid"), "breaking loosened"),
    Row("a member that is always there", append("schemas IncomingPhoneNumber required", "verification_status"), CHANGED),
    Row("a member that may be null", change("members sid", type=["string", "null"]), "breaking loosened", *buys()),
    Row("a member that is never null", never_null, "compatible tightened", *buys(then="assert it.trunk_sid == 'a'")),
    Row("a member of another type", change("members beta", type="string"), "breaking changed"),
    Row("a member that becomes a date", change("members country_code", format="date-time"), TIGHTER),
    Row("a member that becomes a time of RFC 2822", change("members uri", format="rfc2822"), "compatible tightened", *buys(then="assert it.uri_datetime is None")),
    Row("a time of RFC 2822 that becomes text", change("members date_updated", format=GONE), "breaking loosened"),
    Row("one more value in replies", change("schemas Origin", enum=["signalwire", "hosted", "moon"]), LOOSER, *buys(then="assert it.origin == 'signalwire'")),
    Row("a value gone in replies", change("schemas Origin", enum=["signalwire"]), "compatible tightened"),
    Row("a limit in replies", change("members sid", maxLength=36), "compatible tightened"),
    Row("a member gone behind a choice with null", change("schemas Capabilities properties", fax=GONE), REMOVED, base=CAPABLE),
    Row("text beside the JSON of a reply", kind("text/csv", "responses 201"), CHANGED),
    Row("text before the JSON of a reply", kind("text/csv", "responses 201", first=True), "breaking changed"),
    Row("an unreadable type before the JSON of a reply", kind("application/xml", "responses 201", first=True), CHANGED),
    Row("text before the JSON of an error", kind("text/plain", "responses 422", first=True), "breaking changed"),
    Row("text beside the JSON of an error", kind("text/plain", "responses 422"), CHANGED),
    Row("a member that repeats an argument", change("purchase x-reply-repeats", account_sid={"argument": "AccountSid", "compare": "exact"}), CHANGED, *buys()),
    Row("a member that is compared in another way", change("purchase x-reply-repeats phone_number", compare="exact"), CHANGED, *buys()),
    Row("a member that repeats nothing any more", change("purchase", **{"x-reply-repeats": GONE}), CHANGED, *buys()),
    Row("an error without a body", change("responses 422", content={}), "breaking changed"),
    Row("another success of the purchase", rename("responses", "201", "200"), "breaking added, breaking removed", *buys()),
    Row("a new error", lambda d: find(d, "responses").update({"409": find(d, "responses 422")}), ADDED),
    Row("an error no longer documented", change("responses", **{"400": GONE}), "compatible removed", *buys()),
    Row("new headers", HEADED, f"{ADDED}, {ADDED}"),
    Row("a header gone", change("responses 201 headers", **{"X-Request-Id": GONE}), REMOVED, base=HEADED),
    Row("a header that may be absent", change("responses 201 headers X-Request-Id", required=False), "breaking loosened", base=HEADED),
    Row("a header of another type", change("responses 201 headers X-Page", schema=TEXT), "breaking changed", base=HEADED),
    Row("a deprecated header", change("responses 201 headers X-Page", deprecated=True), CHANGED, base=HEADED),
    Row("a header in another case", rename("responses 201 headers", "X-Page", "x-page"), "", base=HEADED),
    Row("another category of an error code", change("schemas Error x-error-codes 4001", category="input"), "breaking changed"),
    Row("another category of a status", both(lambda d: find(d, "schemas Error x-error-categories input statuses").remove(404), append("schemas Error x-error-categories limit statuses", 404)), "breaking changed"),
    Row("a new error code", change("schemas Error x-error-codes", **{"4999": {"status": 422, "category": "input", "when": "x"}}), ADDED),
    Row("a member of the callback gone", change("schemas IncomingCallStatus properties", From=GONE), f"{REMOVED}, {REMOVED}"),
    Row("a query of the callback gone", change(f"purchase callbacks IncomingCallStatus {CALLBACK} get", parameters=[]), REMOVED),
    Row("a callback gone", change("purchase", callbacks=GONE), f"{REMOVED}, {REMOVED}"),
]  # fmt: skip

THING = "paths /things get"
NEXT: Document = {"type": ["string", "null"], "description": "A path."}
UNPAGED = replies(
    object_of("things next", things=list_of(TEXT), others=list_of(TEXT), next=NEXT, further=NEXT),
    {"things": [], "next": None},
)
PAGES = change(THING, **{"x-pages": {"items": "things", "next": "next"}})
PAGED = both(UNPAGED, PAGES)
ONE = adds("/things/{Id}", parameters=[parameter("Id", "path")])
TWO = adds("/things/{Id}/{Part}", parameters=[parameter(name, "path") for name in ("Id", "Part")])
OWNED = adds(
    "/{AccountSid}/things",
    "post",
    parameters=[ACCOUNT],
    requestBody=body(object_of(Name=text()), FORM),
)
OWNED_POST = "paths /{AccountSid}/things post"
OWNED_FIELDS = f"{OWNED_POST} requestBody content {FORM} schema properties"
WHOLE, BARE = replies(object_of("name", name=TEXT), {"name": "a"}), adds()
LOOK: Document = {"operationId": "purchase", "x-look-up": {"created": "date_created"}}
LINKED = change("responses 201", links={"found": LOOK, "other": {"operationId": "purchase"}})


def moves(old: str, new: str, place: str = "path", **names: str) -> Edit:
    """Make an edit that gives an operation another path, and renames and moves its parameters."""

    def edit(document: Document) -> None:
        rename("paths", old, new)(document)
        for each in find(document, f"paths {new} get parameters"):
            each.update(name=names.get(each["name"], each["name"]), **{"in": place})

    return edit


CALLS = [
    Row("pages where there was one", PAGES, ADDED, base=UNPAGED),
    Row("pages that lead nowhere any more", change(THING, **{"x-pages": GONE}), REMOVED, base=PAGED),
    Row("pages of other items", change(f"{THING} x-pages", items="others"), "breaking changed", base=PAGED),
    Row("another way to the next page", change(f"{THING} x-pages", next="further"), CHANGED, base=PAGED),
    Row("path parameters in another order", moves("/things/{Id}/{Part}", "/things/{Part}/{Id}"), f"{CHANGED}, breaking changed", base=TWO),
    Row("a path parameter of another name", moves("/things/{Id}", "/things/{Sid}", Id="Sid"), f"{CHANGED}, {REMOVED}, breaking added", base=ONE),
    Row("a path parameter that needs its name now", moves("/things/{Id}", "/things", "query"), f"{CHANGED}, breaking changed, {CHANGED}", base=ONE),
    Row("an account in the path where there was none", both(moves("/things/{Id}", "/{AccountSid}/things/{Id}"), append("paths /{AccountSid}/things/{Id} get parameters", ACCOUNT)), f"{CHANGED}, {ADDED}", base=ONE, breaks_names=True),
    Row("an account that callers must name now", change("components parameters AccountSid", **{"x-client-default": GONE}), "breaking changed", f"it = compat.phone_numbers.purchase('{PROJECT}', PhoneNumber='+15551234567')\nassert it.sid", NUMBER),
    Row("an account that the client fills in now", lambda d: find(d, f"{OWNED_POST} parameters 0").update(ACCOUNT), "compatible changed, breaking changed", base=both(OWNED, change(f"{OWNED_POST} parameters 0", **{"x-client-default": GONE}))),
    Row("an account in the body beside that of the path", change(OWNED_FIELDS, AccountSid=TEXT), f"breaking changed, {ADDED}", base=OWNED),
    Row("an account in the path alone that was in the body too", change(OWNED_FIELDS, AccountSid=GONE), f"breaking changed, {REMOVED}", base=both(OWNED, change(OWNED_FIELDS, AccountSid=TEXT))),
    Row("a parameter with the name of a field", append(f"{OWNED_POST} parameters", parameter("Name")), f"{ADDED}, breaking changed", base=OWNED),
    Row("a success without a body", change(f"{THING} responses", **{"200": GONE, "204": reply()}), f"breaking added, {REMOVED}", base=WHOLE),
    Row("a body in a success that had none", lambda d: find(d, f"{THING} responses").update({"200": reply(TEXT)}), "breaking added", base=BARE),
]  # fmt: skip

LOOK_UPS = [
    Row("a way to look for what became of a call", LINKED, ADDED),
    Row("another way to look for what became of a call", change("responses 201 links found x-look-up", created="date_updated"), CHANGED, base=LINKED),
    Row("no way any more to look for what became of a call", change("responses 201", links=GONE), REMOVED, base=LINKED),
    Row("a link that says nothing about looking", change("responses 201 links", other=GONE), "", base=LINKED),
]  # fmt: skip

CHANGES = [*OPERATIONS, *REQUESTS, *REPLIES, *CALLS, *LOOK_UPS]
