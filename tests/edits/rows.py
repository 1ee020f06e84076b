"""The table: each edit, what `make diff` says of it, and code that calls the new package.

In `code`, `compat` leads to the operations and `m` to the models; the async twin awaits each call.
`sent` is the request that must have been on the wire: method, path, query, body. `header` is one
that it must have had. `breaks_names` says that the names of the package alone break callers.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.edits import words as make
from tests.edits.words import (
    Document,
    Edit,
    adds,
    asked,
    given,
    object_of,
    ref,
    replies,
    sends,
    takes,
    text,
)

BOUGHT = "POST /Accounts/b3877c40-da60-4998-90ad-b792e98472ac/IncomingPhoneNumbers"
NUMBER = f"{BOUGHT} PhoneNumber=%2B15551234567"
GOT, POSTED = "GET /things", "POST /things"
BIG = 2**63 - 1
LONG = "_".join(["a_very_long_name_of_a_thing"] * 5)
ADDED, REMOVED, CHANGED = [("added", False)], [("removed", True)], [("changed", False)]
TIGHTER, LOOSER = [("tightened", True)], [("loosened", False)]
TEXT = {"type": "string"}
CAT = object_of("purrs", purrs={"type": "boolean", "description": "Whether it does."})
DOG = object_of("barks", barks={"type": "boolean", "description": "Whether it does."})
PETS = {"Cat": CAT, "Dog": DOG}
THING = object_of("name", name=text(), size={"type": "integer", "description": "In mm."})
TREE = object_of(
    "name",
    name=text(maxLength=3),
    twigs={"type": "array", "items": ref("Tree"), "description": "More of them."},
    root=ref("Tree"),
    next={"oneOf": [ref("Tree"), {"type": "null"}], "description": "The next, if any."},
    named=ref("Trees"),
    branch=ref("Branch"),
)
BRANCH = object_of(tree=ref("Tree"))
FOREST = {"type": "object", "description": "By name.", "additionalProperties": ref("Tree")}
TREES = {"Tree": TREE, "Trees": FOREST, "Branch": BRANCH}


PROBLEM = object_of(
    "title status",
    title=text(),
    status={"type": "integer", "description": "HTTP status."},
    detail=text(),
)


class Row(NamedTuple):
    """One edit."""

    name: str
    edit: Edit
    expected: list[tuple[str, bool]]
    code: str
    sent: str
    header: str = ""
    breaks_names: bool = False


def buys(arguments: str = "", sent: str = "", then: str = "assert it.sid") -> tuple[str, str]:
    """Give the code of a purchase, and what it sends."""
    code = f"it = compat.phone_numbers.purchase(PhoneNumber='+15551234567'{arguments})\n{then}"
    return code, NUMBER + sent


def parted(name: str, value: object, file_name: str = "", kind: str = "") -> str:
    """Write a part of a multipart body, lines between bars, without the boundary."""
    file = f'; filename="{file_name}"' if file_name else ""
    kind = f"|Content-Type: {kind}" if kind else ""
    return f'--|Content-Disposition: form-data; name="{name}"{file}{kind}||{value}|'


def no_file(argument: str) -> str:
    """Give the code of a call with something else in place of a file, which is not sent."""
    return not_sent(argument, "must be a File", "  # type: ignore[arg-type]")


def not_sent(argument: str, words: str, comment: str = "") -> str:
    """Give the code of a call that is refused with these words, and not sent."""
    return (
        f"try:\n    compat.things.try_it({argument}){comment}\n"
        f"except ValueError as error:\n    assert {words!r} in str(error), error\n"
        "else:\n    raise AssertionError"
    )


def asks(**fields: Document) -> Edit:
    return lambda document: asked(document).update(fields)


def gives(**members: Document) -> Edit:
    return lambda document: given(document).update(members)


def a_required_field(document: Document) -> None:
    asked(document)["Area"] = text()
    make.schemas(document)["PurchaseRequest"]["required"].append("Area")
    for example in make.examples(document):
        if "PhoneNumber" in example:
            example["Area"] = "310"


def a_renamed_field(document: Document) -> None:
    field = asked(document)["SmsUrl"]
    make.without(document, "SmsUrl")
    asked(document)["SmsWebhook"] = field


def a_member_gone(document: Document) -> None:
    del given(document)["beta"]
    make.schemas(document)["IncomingPhoneNumber"]["required"].remove("beta")
    for example in make.examples(document):
        example.pop("beta", None)


def another_type(document: Document) -> None:
    asked(document)["SmsUrl"] = {"type": "integer", "description": "A number for it."}
    for example in make.examples(document):
        example.pop("SmsUrl", None)
    del given(document)["sms_url"]
    make.schemas(document)["IncomingPhoneNumber"]["required"].remove("sms_url")


def a_format(document: Document) -> None:
    asked(document)["FriendlyName"]["format"] = "email"
    for example in make.examples(document):
        example.pop("FriendlyName", None)


def a_member_never_null(document: Document) -> None:
    given(document)["trunk_sid"]["type"] = "string"
    make.examples(document)[-1]["trunk_sid"] = "a"


def a_value_less(document: Document) -> None:
    make.schemas(document)["VoiceReceiveMode"]["enum"] = ["fax"]
    del asked(document)["VoiceReceiveMode"]["default"]


def another_success(document: Document) -> None:
    responses = make.purchase(document)["responses"]
    responses["200"] = responses.pop("201")


def a_second_server(document: Document) -> None:
    document["servers"].append({"url": "https://eu.example.com/v2", "description": "In Europe."})


def in_json(document: Document) -> None:
    content = make.purchase(document)["requestBody"]["content"]
    content[make.JSON] = content.pop(make.FORM)


def two_on_one_path(document: Document) -> None:
    adds()(document)
    adds(method="delete", operationId="drop")(document)


def a_renamed_schema(document: Document) -> None:
    make.schemas(document)["Abilities"] = make.schemas(document).pop("Capabilities")
    given(document)["capabilities"] = ref("Abilities")


def moved(document: Document) -> None:
    document["paths"]["/Numbers/{AccountSid}"] = document["paths"].pop(make.PATH)


def without_error(document: Document) -> None:
    del make.purchase(document)["responses"]["400"]


def renamed_tag(document: Document) -> None:
    make.purchase(document)["tags"] = ["numbers"]
    document["tags"] = [{"name": "numbers", "description": "Numbers."}]


def operations_elsewhere(document: Document) -> None:
    document["components"]["pathItems"] = {"Things": {"get": make.operation()}}
    document["paths"]["/things"] = {"$ref": "#/components/pathItems/Things"}


def with_encoding(encoding: Document) -> Edit:
    """Make an edit that adds an operation whose parts are encoded in a way of their own."""
    members = dict.fromkeys(encoding, make.FILE)

    def edit(document: Document) -> None:
        sends(object_of(**members), make.MULTIPART)(document)
        media = document["paths"]["/things"]["post"]["requestBody"]["content"][make.MULTIPART]
        media["encoding"] = encoding

    return edit


def in_another_encoding(document: Document) -> None:
    sends(object_of(Tag={"type": "array", "items": TEXT}), make.FORM)(document)
    media = document["paths"]["/things"]["post"]["requestBody"]["content"][make.FORM]
    media["encoding"] = {"Tag": {"explode": False}}


def tags_alike(document: Document) -> None:
    adds()(document)
    adds("/more", operationId="more", tags=["async things"])(document)


def two_paths_that_are_one(document: Document) -> None:
    adds("/things/{a}", parameters=[make.parameter("a", "path")])(document)
    adds("/things/{b}", operationId="b", parameters=[make.parameter("b", "path")])(document)


def value_more(name: str, *values: str) -> Edit:
    return lambda document: make.schemas(document)[name].update(enum=list(values))


CHANGES = [
    Row("an optional field", asks(Area=text()), ADDED, *buys(", Area='1'", "&Area=1")),
    Row("a required field", a_required_field, [("added", True)], *buys(", Area='1'", "&Area=1")),
    Row("a field gone", lambda d: make.without(d, "SmsUrl"), REMOVED, *buys()),
    Row("a field renamed", a_renamed_field, ADDED + REMOVED, *buys(", SmsWebhook='https://a.b'", "&SmsWebhook=https%3A%2F%2Fa.b")),
    Row("another type of a field", another_type, [("changed", True), *LOOSER, *REMOVED], *buys(", SmsUrl=7", "&SmsUrl=7")),
    Row("a field that is a date", asks(Day=text(format="date")), ADDED, *buys(", Day=datetime.date(2026, 1, 31)", "&Day=2026-01-31")),
    Row("a format gone", lambda d: asked(d)["SmsUrl"].pop("format"), LOOSER, *buys(", VoiceUrl='https://a.b'", "&VoiceUrl=https%3A%2F%2Fa.b")),
    Row("a format where none was", a_format, TIGHTER, "it = compat.phone_numbers.purchase(PhoneNumber='+15551234567', FriendlyName='a@b.c')\nassert it.friendly_name == 'a@b.c'", f"{NUMBER}&FriendlyName=a%40b.c"),
    Row("another default", lambda d: asked(d)["SmsMethod"].update(default="GET"), [("changed", True)], *buys(then="assert it.sms_method == 'GET'")),
    Row("a default gone", lambda d: asked(d)["SmsMethod"].pop("default"), CHANGED, *buys(then="assert it.sid")),
    Row("an allowed value more", value_more("VoiceReceiveMode", "voice", "fax", "both"), LOOSER, *buys(", VoiceReceiveMode='both'", "&VoiceReceiveMode=both")),
    Row("an allowed value less", a_value_less, CHANGED + TIGHTER, *buys(", VoiceReceiveMode='fax'", "&VoiceReceiveMode=fax")),
    Row("a value more in replies", value_more("Origin", "signalwire", "hosted", "moon"), LOOSER, *buys(then="assert it.origin == 'signalwire'")),
    Row("a tighter limit", lambda d: asked(d)["PhoneNumber"].update(maxLength=13), TIGHTER, *buys()),
    Row("a looser limit", lambda d: asked(d)["PhoneNumber"].update(minLength=3), LOOSER, *buys()),
    Row("a body in JSON", in_json, [("changed", False)], buys()[0], f'{BOUGHT} {{"PhoneNumber": "+15551234567"}}'),
    Row("another name of a schema", a_renamed_schema, [], *buys(then="assert isinstance(it.capabilities, m.Abilities)"), breaks_names=True),
    Row("another path", moved, CHANGED, buys()[0], NUMBER.replace(f"{BOUGHT[5:]}", "/Numbers/b3877c40-da60-4998-90ad-b792e98472ac")),
    Row("another tag", renamed_tag, ADDED + REMOVED, buys()[0].replace("phone_numbers.", "numbers."), NUMBER),
    Row("another operationId", lambda d: make.purchase(d).update(operationId="buy"), ADDED + REMOVED, buys()[0].replace("purchase(", "buy("), NUMBER),
    Row("a member more in replies", gives(weight={"type": "number", "description": "In g."}), ADDED, *buys(then="assert isinstance(it.weight, Unset)")),
    Row("a member gone in replies", a_member_gone, REMOVED, *buys(then="assert it.sid")),
    Row("a member that may be null", lambda d: given(d)["sid"].update(type=["string", "null"]), [("loosened", True)], *buys()),
    Row("a member that is never null", a_member_never_null, [("tightened", False)], *buys(then="assert it.trunk_sid == 'a'")),
    Row("an error no longer documented", without_error, [("removed", False)], *buys()),
    Row("words in any script", lambda d: asked(d)["SmsUrl"].update(description='Says """hi""", \\N{x} \\ and “日本語” \'\'\''), [], *buys()),
]  # fmt: skip

METHODS = [
    Row("a GET operation", replies(THING, {"name": "a", "size": 3}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a' and it.size == 3", GOT),
    Row("a PUT operation", adds(method="put", requestBody=make.body(THING)), ADDED, "compat.things.try_it(name='a')", 'PUT /things {"name": "a"}'),
    Row("a POST operation", sends(THING), ADDED, "compat.things.try_it(name='a', size=3)", POSTED + ' {"name": "a", "size": 3}'),
    Row("a PATCH operation", adds(method="patch", requestBody=make.body(THING)), ADDED, "compat.things.try_it(name='a')", 'PATCH /things {"name": "a"}'),
    Row("a DELETE operation", adds("/things/{Id}", "delete", parameters=[make.parameter("Id", "path")]), ADDED, "compat.things.try_it(Id='a/b')", "DELETE /things/a%2Fb"),
    Row("a HEAD operation", adds(method="head", responses={"200": make.reply()}), ADDED, "compat.things.try_it()", "HEAD /things"),
    Row("an OPTIONS operation", adds(method="options"), ADDED, "compat.things.try_it()", "OPTIONS /things"),
    Row("a TRACE operation", adds(method="trace"), ADDED, "compat.things.try_it()", "TRACE /things"),
    Row("a tag in another script", adds(tags=["Ünï things"]), ADDED, "compat.ü_n_ï_things.try_it()", GOT),
    Row("two operations of one path", two_on_one_path, ADDED * 2, "compat.things.try_it()\ncompat.things.drop()", f"{GOT}\nDELETE /things"),
    Row("an operation of a known tag", adds(tags=["phone_numbers"]), ADDED, "compat.phone_numbers.try_it()", GOT),
    Row("an operation without credentials", adds(security=[]), ADDED, "compat.things.try_it()", GOT),
]  # fmt: skip

PARAMETERS = [
    Row("a header parameter", takes("X-Trace", "header"), ADDED, "compat.things.try_it(XTrace='a, b')", GOT, "x-trace: a, b"),
    Row("a cookie parameter", takes("theme", "cookie"), ADDED, "compat.things.try_it(theme='dark')", GOT, "cookie: theme=dark"),
    Row("a query parameter", takes("Page"), ADDED, "compat.things.try_it(Page='a b&c')", GOT + "?Page=a+b%26c"),
    Row("a required parameter", takes("Page", required=True), ADDED, "compat.things.try_it(Page='')", GOT + "?Page="),
    Row("an array in the query", takes("Tag", schema={"type": "array", "items": TEXT}), ADDED, "compat.things.try_it(Tag=['a', 'b,c'])", GOT + "?Tag=a&Tag=b%2Cc"),
    Row("an object in the query", takes("Filter", schema=ref("Filter"), schemas={"Filter": THING}), ADDED, "compat.things.try_it(Filter=m.Filter(name='a', size=3))", GOT + "?name=a&size=3"),
    Row("a number and a truth in the query", adds(parameters=[make.parameter("N", schema={"type": "number"}), make.parameter("On", schema={"type": "boolean"})]), ADDED, "compat.things.try_it(N=1.5, On=False)", GOT + "?N=1.5&On=false"),
    Row("a day and a time in path and query", adds("/things/{Day}", parameters=[make.parameter("Day", "path", text(format="date")), make.parameter("At", schema=text(format="date-time"))]), ADDED, "compat.things.try_it(Day=datetime.date(2026, 1, 31), At=datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC))", GOT + "/2026-01-31?At=2026-01-31T00%3A00%3A00Z"),
    Row("a parameter named body", takes("body"), ADDED, "compat.things.try_it(body='a')", GOT + "?body=a"),
    Row("a parameter named body beside a body", adds(method="post", parameters=[make.parameter("body")], requestBody=make.body(THING)), ADDED, "compat.things.try_it(body='a', name='b')", POSTED + '?body=a {"name": "b"}'),
    Row("parameters named like the client's own", adds(parameters=[make.parameter(name) for name in ("client", "url", "self", "request", "reply")]), ADDED, "compat.things.try_it(client='a', url='b', request='c')", GOT + "?client=a&url=b&request=c"),
    Row("parameters named like what the functions hold", adds("/{request}", parameters=[make.parameter("request", "path"), *(make.parameter(name) for name in ("arguments", "reply", "Reply", "datetime", "UNSET", "Rule"))]), ADDED, "compat.things.try_it(request='a', arguments='b', reply='c', Reply='d', UNSET='e')", "GET /a?arguments=b&reply=c&Reply=d&UNSET=e"),
    Row("one name in two places", adds("/things/{Id}", parameters=[make.parameter("Id", "path"), make.parameter("id")]), ADDED, "compat.things.try_it(Id='a', id='b')", GOT + "/a?id=b"),
    Row("names that differ only in case", adds(parameters=[make.parameter("size"), make.parameter("Size")]), ADDED, "compat.things.try_it(size='a', Size='b')", GOT + "?size=a&Size=b"),
]  # fmt: skip

BODIES = [
    Row("an array in a form", sends(object_of(Tag={"type": "array", "items": TEXT}), make.FORM), ADDED, "compat.things.try_it(Tag=['a', 'b'])", POSTED + " Tag=a&Tag=b"),
    Row("an object in a form", sends(object_of(Thing=ref("Thing")), make.FORM, schemas={"Thing": THING}), ADDED, "compat.things.try_it(Thing=m.Thing(name='a'))", POSTED + " Thing=%7B%22name%22%3A+%22a%22%7D"),
    Row("an array in JSON", sends(object_of(Tag={"type": "array", "items": TEXT}, Things={"type": "array", "items": ref("Thing")}), schemas={"Thing": THING}), ADDED, "compat.things.try_it(Tag=['a'], Things=[m.Thing(name='b')])", POSTED + ' {"Tag": ["a"], "Things": [{"name": "b"}]}'),
    Row("an object in JSON", sends(object_of(Thing=ref("Thing")), schemas={"Thing": THING}), ADDED, "compat.things.try_it(Thing=m.Thing(name='a'))", POSTED + ' {"Thing": {"name": "a"}}'),
    Row("a body that is an array", sends({"type": "array", "items": ref("Thing")}, schemas={"Thing": THING}), ADDED, "compat.things.try_it(body=[m.Thing(name='a')])", POSTED + ' [{"name": "a"}]'),
    Row("an inline object", sends(object_of(Inner=object_of(Deep=object_of(x=text())))), ADDED, "compat.things.try_it(Inner=m.TryItBodyInner(deep=m.TryItBodyInnerDeep(x='a')))", POSTED + ' {"Inner": {"Deep": {"x": "a"}}}'),
    Row("an optional body", adds(method="post", requestBody=make.body(ref("Thing"), required=False), schemas={"Thing": THING}), ADDED, "compat.things.try_it()\ncompat.things.try_it(body=m.Thing(name='a'))", POSTED + f'\n{POSTED} {{"name": "a"}}'),
    Row("several content types of a body", adds(method="post", schemas=PETS, requestBody={"description": "A pet.", "required": True, "content": {make.JSON: {"schema": ref("Cat")}, make.FORM: {"schema": ref("Dog")}}}), ADDED, "compat.things.try_it(body=m.Cat(purrs=True))\ncompat.things.try_it(body=m.Dog(barks=True))", POSTED + ' {"purrs": true}\n' + POSTED + " barks=true"),
    Row("bytes", sends(make.FILE, make.BYTES), ADDED, "compat.things.try_it(body=File(payload=b'a=b'))\n" + no_file("body=b'a'"), POSTED + " a=b", "content-type: application/octet-stream"),
    Row("an optional file", adds(method="post", requestBody=make.body(make.FILE, make.BYTES, required=False)), ADDED, "compat.things.try_it()\ncompat.things.try_it(body=File(payload=io.BytesIO(b'a')))", f"{POSTED}\n{POSTED} a"),
    Row("a form with files", sends(object_of("image", image=make.FILE, more={"type": "array", "items": make.FILE}, name=text(), sizes={"type": "array", "items": {"type": "integer"}}, day=text(format="date"), thing=ref("Thing")), make.MULTIPART, schemas={"Thing": THING}), ADDED, "compat.things.try_it(image=File(payload=b'a', file_name='a.png'), more=[File(payload=b'b', mime_type='text/csv')], name='ü', sizes=[1, 2], day=datetime.date(2026, 1, 31), thing=m.Thing(name='c'))", f"{POSTED} {parted('image', 'a', 'a.png', 'image/png')}{parted('more', 'b', 'upload', 'text/csv')}{parted('name', 'ü')}{parted('sizes', 1)}{parted('sizes', 2)}{parted('day', '2026-01-31')}" + parted("thing", '{"name": "c"}', kind=make.JSON) + "----|"),
    Row("a form of parts that are left out", sends(object_of(name=text(), image=make.FILE), make.MULTIPART), ADDED, "compat.things.try_it()\ncompat.things.try_it(name='a')\n" + no_file("image='a'"), f"{POSTED} ----|\n{POSTED} {parted('name', 'a')}----|"),
    Row("a form with files or JSON", adds(method="post", schemas={"Cat": CAT, "Photo": object_of("image", image=make.FILE)}, requestBody={"description": "A pet.", "required": True, "content": {make.JSON: {"schema": ref("Cat")}, make.MULTIPART: {"schema": ref("Photo")}, make.BYTES: {"schema": make.FILE}}}), ADDED, "compat.things.try_it(body=m.Cat(purrs=True))\ncompat.things.try_it(body=m.Photo(image=File(payload='a')))\ncompat.things.try_it(body=File(payload='b'))", f'{POSTED} {{"purrs": true}}\n{POSTED} {parted("image", "a", "upload", make.BYTES)}----|\n{POSTED} b'),
    Row("JSON of a kind of its own", adds(method="patch", requestBody=make.body(THING, "application/merge-patch+json")), ADDED, "compat.things.try_it(name='a')", 'PATCH /things {"name": "a"}', "content-type: application/merge-patch+json"),
    Row("a content type with a parameter", sends(THING, "application/json; charset=utf-8"), ADDED, "compat.things.try_it(name='a')", POSTED + ' {"name": "a"}', "content-type: application/json; charset=utf-8"),
    Row("a constant", sends(object_of("Kind", Kind={"const": "thing", "description": "Always this."})), ADDED, "compat.things.try_it(Kind='thing')", POSTED + ' {"Kind": "thing"}'),
    Row("a constant number in a form", sends(object_of("Size", Size={"const": 5, "description": "In mm."}), make.FORM), ADDED, "compat.things.try_it(Size=5)", POSTED + " Size=5"),
    Row("integers as allowed values", sends(object_of(Size={"type": "integer", "enum": [1, 2], "description": "In mm."})), ADDED, "compat.things.try_it(Size=2)", POSTED + ' {"Size": 2}'),
    Row("an object of any members", sends(object_of(Labels={"type": "object", "description": "Labels.", "additionalProperties": TEXT})), ADDED, "labels = m.TryItBodyLabels()\nlabels.additional_properties['a'] = 'b'\ncompat.things.try_it(Labels=labels)", POSTED + ' {"Labels": {"a": "b"}}'),
    Row("allowed values with null among them", sends(object_of(Size={"type": ["string", "null"], "enum": ["a", "b", None], "description": "In mm."})), ADDED, "compat.things.try_it(Size='a')\ncompat.things.try_it(Size=None)", POSTED + ' {"Size": "a"}\n' + POSTED + ' {"Size": null}'),
    Row("a multiple of a decimal", sends(object_of(Price={"type": "number", "multipleOf": 0.01, "description": "In USD."})), ADDED, "compat.things.try_it(Price=19.99)", POSTED + ' {"Price": 19.99}'),
    Row("names that are words of Python", sends(object_of(**dict.fromkeys(("class", "from", "None", "import"), TEXT))), ADDED, "compat.things.try_it(class_='a', from_='b', None_='c')", POSTED + ' {"class": "a", "from": "b", "None": "c"}'),
    Row("names that are built-ins", sends(object_of(**dict.fromkeys(("list", "type", "id", "str", "dict", "print"), TEXT))), ADDED, "compat.things.try_it(list_='a', type_='b', id='c', dict_='d')", POSTED + ' {"list": "a", "type": "b", "id": "c", "dict": "d"}'),
    Row("names with signs and digits", sends(object_of(**{"a-b": TEXT, "c.d": TEXT, "1st": TEXT, "@x": TEXT})), ADDED, "compat.things.try_it(ab='a', cd='b', field_1st='c', x='d')", POSTED + ' {"a-b": "a", "c.d": "b", "1st": "c", "@x": "d"}'),
    Row("members that differ only in case", sends(object_of(size=TEXT, Size=TEXT)), ADDED, "compat.things.try_it(size='a', Size='b')", POSTED + ' {"size": "a", "Size": "b"}'),
    Row("a member named like its schema", sends(ref("Thing"), schemas={"Thing": object_of(Thing=TEXT)}), ADDED, "compat.things.try_it(Thing='a')", POSTED + ' {"Thing": "a"}'),
    Row("a default that stays the server's", takes("Limit", schema={"type": "integer", "default": 50}), ADDED, "compat.things.try_it()\ncompat.things.try_it(Limit=3)", f"{GOT}\n{GOT}?Limit=3"),
    Row("members without a name", sends({"type": "object", "description": "Sizes.", "additionalProperties": {"type": "integer"}}), ADDED, "sizes = m.TryItBody()\nsizes.additional_properties['a'] = 3\ncompat.things.try_it(body=sizes)", POSTED + ' {"a": 3}'),
    Row("words and a limit beside a reference", sends(object_of(Code={**ref("Word"), "maxLength": 2, "description": "Two letters."}), schemas={"Word": text(minLength=1)}), ADDED, "compat.things.try_it(Code='ab')\nproblem = ''\ntry:\n    compat.things.try_it(Code='abc')\nexcept ValueError as error:\n    problem = str(error)\nassert '1 to 2 characters' in problem", POSTED + ' {"Code": "ab"}'),
    Row("a choice of schemas that hold it", sends(object_of(Sum=ref("Sum")), schemas={"Sum": {"oneOf": [ref("Number"), ref("Plus")], "description": "Either."}, "Number": object_of("n", n={"type": "integer", "description": "It."}), "Plus": object_of("left right", left=ref("Sum"), right=ref("Sum"))}), ADDED, "compat.things.try_it(Sum=m.Plus(left=m.Number(n=1), right=m.Plus(left=m.Number(n=2), right=m.Number(n=3))))", POSTED + ' {"Sum": {"left": {"n": 1}, "right": {"left": {"n": 2}, "right": {"n": 3}}}}'),
    Row("very long names", sends(object_of(**{LONG: TEXT}), operationId=LONG), ADDED, f"compat.things.{LONG}({LONG}='a')", POSTED + f' {{"{LONG}": "a"}}'),
]  # fmt: skip

REPLIES = [
    Row("no content", adds(), ADDED, "it: None = compat.things.try_it()  # type: ignore[func-returns-value]", GOT),
    Row("a second server", a_second_server, ADDED, *buys()),
    Row("another success of the purchase", another_success, [("added", True), ("removed", True)], *buys()),
    Row("several successes", adds(schemas=PETS, responses={"200": make.reply(ref("Cat"), {"purrs": True}), "201": make.reply(ref("Dog"))}), ADDED, "it = compat.things.try_it()\nassert_type(it, m.Cat | m.Dog)\nassert isinstance(it, m.Cat)", GOT),
    Row("a success of any status", adds(responses={"2XX": make.reply(THING, {"name": "a"})}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT),
    Row("errors of any status", adds(responses={"200": make.reply(THING, {"name": "a"}), "4XX": make.reply(ref("Error")), "default": make.reply(ref("Error"))}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT),
    Row("several content types of a reply", adds(responses={"200": {"description": "A thing.", "content": {make.JSON: {"schema": THING, "example": {"name": "a"}}, "text/csv": {"schema": TEXT}}}}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT),
    Row("a reply that is text", adds(responses={"200": make.reply(TEXT, "a,b", "text/csv")}), ADDED, "it = compat.things.try_it()\nassert it == 'a,b'", GOT),
    Row("a reply that is text, errors too", adds(responses={"200": make.reply(text(), "a", "text/plain; charset=utf-8"), "400": make.reply(text(), kind="text/plain")}), ADDED, "it = compat.things.try_it()\nassert it == 'a'", GOT, "accept: text/plain, application/json"),
    Row("a reply that is text or JSON", adds(responses={"200": {"description": "A thing.", "content": {"text/csv": {"schema": TEXT}, "application/xml": {"schema": THING}, make.JSON: {"schema": THING, "example": {"name": "a"}}}}}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/json"),
    Row("a reply that is bytes", adds(responses={"200": make.reply(make.FILE, "a", make.BYTES)}), ADDED, "it = compat.things.try_it()\nassert_type(it, bytes)\nassert it == b'a'", GOT, "accept: application/octet-stream, application/json"),
    Row("a reply of JSON of a kind of its own", adds(responses={"200": make.reply(THING, {"name": "a"}, "application/hal+json")}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/hal+json, application/json"),
    Row("errors as RFC 9457 has them", adds(responses={"201": make.reply(THING, {"name": "a"}), "default": make.reply(PROBLEM, kind="application/problem+json")}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/json, application/problem+json"),
    Row("a reply whose content is empty", adds(responses={"200": {"description": "It is done.", "content": {}}}), ADDED, "it: None = compat.things.try_it()  # type: ignore[func-returns-value]", GOT),
    Row("a reply that is a list", replies({"type": "array", "items": ref("Thing")}, [{"name": "a"}], schemas={"Thing": THING}), ADDED, "it = compat.things.try_it()\nassert it[0].name == 'a'", GOT),
    Row("a reply that is a number", replies({"type": "integer"}, 7), ADDED, "it = compat.things.try_it()\nassert it == 7", GOT),
    Row("pages of things", replies(object_of("things page", things={"type": "array", "items": ref("Thing")}, page={"type": "integer", "description": "From 0."}, next_page_uri={"type": ["string", "null"], "description": "The next page."}), {"things": [{"name": "a"}], "page": 0, "next_page_uri": None}, schemas={"Thing": THING}, parameters=[make.parameter("Page", schema={"type": "integer"}), make.parameter("PageSize", schema={"type": "integer"})]), ADDED, "it = compat.things.try_it(Page=0, PageSize=50)\nassert it.things[0].name == 'a' and it.next_page_uri is None", GOT + "?Page=0&PageSize=50"),
    Row("allOf", replies({"allOf": [ref("Thing"), object_of("kind", kind=text())]}, {"name": "a", "kind": "b"}, schemas={"Thing": THING}), ADDED, "it = compat.things.try_it()\nassert (it.name, it.kind) == ('a', 'b')", GOT),
    Row("allOf of one, or null", replies(object_of("thing", thing={"oneOf": [{"allOf": [ref("Thing")]}, {"type": "null"}], "description": "One."}), {"thing": None}, schemas={"Thing": THING}), ADDED, "it = compat.things.try_it()\nassert it.thing is None", GOT),
    Row("oneOf", replies(object_of("pet", pet={"oneOf": [ref("Cat"), ref("Dog")], "description": "One."}), {"pet": {"barks": True}}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert isinstance(it.pet, m.Dog) and it.pet.barks", GOT),
    Row("oneOf with null", replies(object_of("pet", pet={"oneOf": [ref("Cat"), ref("Dog"), {"type": "null"}], "description": "One."}), {"pet": None}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert it.pet is None", GOT),
    Row("anyOf", replies({"anyOf": [ref("Cat"), ref("Dog")]}, {"barks": True}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert_type(it, m.Cat | m.Dog)\nassert isinstance(it, m.Dog)", GOT),
    Row("anyOf with null", replies(object_of("size", size={"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}], "description": "In mm."}), {"size": "3"}), ADDED, "it = compat.things.try_it()\nassert it.size == '3'", GOT),
    Row("a list of either", replies(object_of("pets", pets={"type": "array", "items": {"oneOf": [ref("Cat"), ref("Dog")]}}), {"pets": [{"barks": True}, {"purrs": True}]}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert isinstance(it.pets[0], m.Dog) and isinstance(it.pets[1], m.Cat)", GOT),
    Row("a schema that holds itself", replies(ref("Tree"), {"name": "a", "twigs": [{"name": "b"}], "root": {"name": "c"}, "named": {"x": {"name": "d"}}}, method="post", requestBody=make.body(ref("Tree")), schemas=TREES), ADDED, "it = compat.things.try_it(name='a', root=m.Tree(name='b', next_=None, branch=m.Branch(tree=m.Tree(name='c'))))\nassert it.twigs and it.twigs[0].name == 'b' and it.root and it.root.name == 'c'\nassert it.named and it.named.additional_properties['x'].name == 'd'", POSTED + ' {"name": "a", "root": {"name": "b", "next": null, "branch": {"tree": {"name": "c"}}}}'),
    Row("a date and a time", replies(object_of("day at", day=text(format="date"), at=text(format="date-time")), {"day": "2026-01-31", "at": "2026-01-31T12:00:00Z"}), ADDED, "it = compat.things.try_it()\nassert it.day == datetime.date(2026, 1, 31)\nassert it.at.tzinfo is not None\nassert it.to_dict() == {'day': '2026-01-31', 'at': '2026-01-31T12:00:00Z'}", GOT),
    Row("times that Python writes another way", replies(object_of("at", at=text(format="date-time"), to=text(format="date-time")), {"at": "2026-01-31T12:00:00.120Z", "to": "2026-01-31T12:00:00.123456789+00:00"}), ADDED, "it = compat.things.try_it()\nassert it.at == datetime.datetime(2026, 1, 31, 12, 0, 0, 120000, datetime.UTC)\nassert it.to_dict() == {'at': '2026-01-31T12:00:00.120Z', 'to': '2026-01-31T12:00:00.123456789+00:00'}", GOT),
    Row("a time that Python can't hold", replies(object_of("at", at=text(format="date-time")), {"at": "1990-12-31T23:59:60Z"}), ADDED, "it = compat.things.try_it()\nassert it.to_dict() == {'at': '1990-12-31T23:59:60Z'}", GOT),
    Row("limits beyond 2^53", sends(object_of(N={"type": "integer", "maximum": 2**53 + 1, "exclusiveMinimum": 2, "description": "Large."})), ADDED, not_sent(f"N={2**53 + 2}", f"at most {2**53 + 1}, above 2, got") + "\n" + not_sent("N=2", "above 2, got int 2") + f"\ncompat.things.try_it(N={2**53 + 1})", f'{POSTED} {{"N": {2**53 + 1}}}'),
    Row("integers beyond 2^53", adds(parameters=[make.parameter("Id", schema={"type": "integer", "format": "int64"})], responses={"200": make.reply(object_of("id", id={"type": "integer", "description": "Large."}), {"id": BIG})}), ADDED, f"it = compat.things.try_it(Id={BIG})\nassert it.id == {BIG}", f"{GOT}?Id={BIG}"),
]  # fmt: skip

ROWS = [*CHANGES, *METHODS, *PARAMETERS, *BODIES, *REPLIES]


class Refusal(NamedTuple):
    """An edit that the client can't express, and words of the line that says so."""

    name: str
    edit: Edit
    words: tuple[str, ...]


THINGS = "paths./things."
PLACE = f"{THINGS}get.parameters[0]"
BODY = f"{THINGS}post.requestBody.content"


def fails(status: str) -> Edit:
    """Make an edit that adds an operation without a success."""
    return adds(responses={status: make.reply(THING)})


REFUSED = [
    Refusal("a parameter with content", takes("Filter", content={make.JSON: {"schema": THING}}), (PLACE, '"Filter"', "give it a schema")),
    Refusal("operations that stand elsewhere", operations_elsewhere, (f"{THINGS}$ref", "write them here")),
    Refusal("a quote in a path", adds('/it"s'), ("paths./it", "%22")),
    Refusal("one name of two parameters", adds("/things/{Id}", parameters=[make.parameter("Id", "path"), make.parameter("Id")]), ("paths./things/{Id}.get.parameters[1]", '"Id"')),
    Refusal("a body of a reply to HEAD", adds(method="head", responses={"200": make.reply(THING)}), (f"{THINGS}head.responses.200.content", "try_it")),
    Refusal("a form that is written another way", in_another_encoding, (f"{THINGS}post.requestBody.content", "Tag.explode")),
    Refusal("a mark of another version", asks(Area=text(nullable=True)), ("PurchaseRequest.properties.Area.nullable", '"null"')),
    Refusal("an array that does not explode", takes("Tag", schema={"type": "array", "items": TEXT}, explode=False), (f"{PLACE}.explode", '"Tag"')),
    Refusal("another style", takes("Filter", schema=THING, style="deepObject"), (f"{PLACE}.style", '"Filter"', "deepObject")),
    Refusal("reserved characters", takes("Filter", allowReserved=True), (f"{PLACE}.allowReserved", '"Filter"')),
    Refusal("objects listed in the query", takes("Things", schema={"type": "array", "items": THING}), (PLACE, '"Things"')),
    Refusal("an array in a header", takes("X-Tag", "header", {"type": "array", "items": TEXT}), (f"{THINGS}get", "X-Tag")),
    Refusal("an array in the path", adds("/things/{Id}", parameters=[make.parameter("Id", "path", {"type": "array", "items": TEXT})]), ("paths./things/{Id}.get", "Id")),
    Refusal("an object in a cookie", takes("Filter", "cookie", THING), (f"{THINGS}get", "Filter")),
    Refusal("an operation with its own server", adds(servers=[{"url": "https://example.com"}]), (f"{THINGS}get.servers", "try_it")),
    Refusal("a body of an unknown type", sends(TEXT, "application/xml"), (f"{BODY}.application/xml", "try_it", "write application/json")),
    Refusal("a body of text", sends(TEXT, "text/plain"), (f"{BODY}.text/plain", "try_it", "write application/json")),
    Refusal("a body of no content type", adds(method="post", requestBody={"content": {}}), (BODY, "try_it", "name one")),
    Refusal("a body without a schema", adds(method="post", requestBody={"content": {make.BYTES: {}}}), (f"{BODY}.{make.BYTES}", "try_it", "add a schema")),
    Refusal("bytes that are an object", sends(THING, make.BYTES), (f"{BODY}.{make.BYTES}.schema", "try_it", "binary")),
    Refusal("a form that is text", sends(TEXT, make.MULTIPART), (f"{BODY}.{make.MULTIPART}.schema", "try_it", "type object")),
    Refusal("a file in JSON", sends(object_of(File=make.FILE)), (f"{BODY}.{make.JSON}.schema.properties.File", "try_it", "multipart")),
    Refusal("a file deep in a form", sends(object_of(thing=ref("Holder")), make.MULTIPART, schemas={"Holder": object_of(file=make.FILE)}), ("components.schemas.Holder.properties.file", "try_it", "multipart")),
    Refusal("null in a form", asks(Area=text(type=["string", "null"])), ("PurchaseRequest.properties.Area", "no form holds", "optional")),
    Refusal("null in a list of a form", sends(object_of(Tag={"type": "array", "items": {"type": ["string", "null"]}}), make.MULTIPART), (f"{BODY}.{make.MULTIPART}.schema.properties.Tag.items", "no form holds")),
    Refusal("null in a query", takes("Limit", schema={"type": ["integer", "null"], "description": "How many."}), ("parameters[0].schema", "Limit", "no query can hold")),
    Refusal("a list of lists in a form", sends(object_of(rows={"type": "array", "items": {"type": "array", "items": TEXT}}), make.FORM), (f"{BODY}.{make.FORM}.schema.properties.rows", "try_it", "JSON")),
    Refusal("a part of a type of its own", with_encoding({"image": {"contentType": "image/png"}}), (f"{BODY}", "image.contentType", "remove it")),
    Refusal("a form of anything", sends({"description": "Anything."}, make.MULTIPART), (f"{BODY}.{make.MULTIPART}.schema", "try_it", "type object")),
    Refusal("a file in the query", takes("File", schema=make.FILE), (f"{PLACE}.schema", '"File"', "body")),
    Refusal("one type of two bodies", adds(method="post", schemas={"Cat": CAT}, requestBody={"content": {make.JSON: {"schema": ref("Cat")}, make.FORM: {"schema": ref("Cat")}}}), (f"{BODY}.{make.FORM}", "try_it", make.JSON, "remove one")),
    Refusal("a reply of an unknown type", adds(responses={"200": make.reply(TEXT, kind="application/xml")}), (f"{THINGS}get.responses.200.content", "try_it", "application/xml", "JSON")),
    Refusal("a reply of any type", adds(responses={"200": make.reply(TEXT, kind="*/*")}), (f"{THINGS}get.responses.200.content", "try_it", "*/*", "JSON")),
    Refusal("a reply of text that is an object", adds(responses={"200": make.reply(THING, kind="text/csv")}), (f"{THINGS}get.responses.200.content.text/csv.schema", "try_it", "type string")),
    Refusal("a reply of JSON with a file", replies(object_of(File=make.FILE), None), (f"{THINGS}get.responses.200.content.{make.JSON}.schema.properties.File", "try_it", "text")),
    Refusal("a body of a reply without one", adds(responses={"204": make.reply(THING)}), (f"{THINGS}get.responses.204.content", "try_it", "remove it")),
    Refusal("a reply before the reply", adds(responses={"200": make.reply(), "1XX": make.reply()}), (f"{THINGS}get.responses.1XX", "try_it", "remove it")),
    Refusal("no success but the default reply", fails("default"), (f"{THINGS}get.responses", "try_it", "add one")),
    Refusal("nothing but redirects", fails("3XX"), (f"{THINGS}get.responses", "try_it", "add one")),
    Refusal("a reply without a schema", adds(responses={"200": {"description": "A thing.", "content": {make.JSON: {}}}}), (f"{THINGS}get.responses.200", "try_it")),
    Refusal("two types of allowed values", adds(schemas={"Mixed": {"enum": ["a", 1], "description": "Either."}}), ("components.schemas.Mixed", "Mixed")),
    Refusal("a keyword that nobody checks", asks(Area={"type": "string", "description": "One.", "not": {"const": "a"}}), ("PurchaseRequest.properties.Area.not", '"not"')),
    Refusal("a name that no file can have", adds(operationId="a" * 300), (f"{THINGS}get.operationId", "too long")),
    Refusal("inline objects with a name too long for a file", sends(object_of(**{"p" * 150: object_of(**{"q" * 150: THING})})), ("components", "too long for a file")),
    Refusal("two schemas with one module", adds(schemas={"HTTPThing": THING, "HttpThing": CAT}), ("components.schemas.Http", "http_thing.py")),
    Refusal("two fields with one name in Python", sends(object_of(**{"a-b": TEXT, "a.b": TEXT})), ("schema.properties.a.b", "a-b")),
    Refusal("a schema with a name of the package", adds(schemas={"Response": THING}), ("components.schemas.Response", "Response")),
    Refusal("a member with a name of every model", asks(to_dict=text()), ("components.schemas.PurchaseRequest", "to_dict")),
    Refusal("a schema that is itself", adds(schemas={"Loop": {"allOf": [ref("Ring")], "description": "A."}, "Ring": {"allOf": [ref("Loop")], "description": "B."}}), ("components.schemas.Loop.allOf[0].$ref", "schemas/Ring", "itself")),
    Refusal("a list of itself alone", sends(ref("Nest"), schemas={"Nest": {"type": "array", "items": ref("Nest"), "description": "Lists."}}), ("components.schemas.Nest.items.$ref", "itself")),
    Refusal("a member that is true", sends(object_of(Any=True)), ("schema.properties.Any", "true", "write {}")),
    Refusal("items that are false", sends(object_of(No={"type": "array", "items": False, "description": "None."})), ("schema.properties.No.items", "false")),
    Refusal("a component that is true", sends(ref("Any"), schemas={"Any": True}), ("components.schemas.Any", "true")),
    Refusal("a required member that requests must not have", sends(ref("Both"), schemas={"Both": {"allOf": [ref("Own")], "required": ["id"], "description": "It."}, "Own": object_of(id=text(readOnly=True))}), ("components.schemas.Own.properties.id", "readOnly", "requests a schema of their own")),
    Refusal("a required member that replies must not have", replies(object_of("key", key=text(writeOnly=True)), {"key": "a"}), ("schema.properties.key", "writeOnly", "replies a schema of their own")),
    Refusal("a tag without a letter", adds(tags=["1st"]), (f"{THINGS}get.tags[0]", '"1st"')),
    Refusal("a tag with a name of the package", adds(tags=["rest client"]), (f"{THINGS}get.tags[0]", "AsyncRestClient")),
    Refusal("a tag with the twin of another", tags_alike, ("tags[0]", "AsyncThings")),
    Refusal("a tag that no folder can have", adds(tags=["t" * 300]), (f"{THINGS}get.tags[0]", "too long")),
    Refusal("a tag with a name of every module", adds(tags=["annotations"]), (f"{THINGS}get.tags[0]", '"annotations"')),
    Refusal("an operation with a name of its module", adds(operationId="annotations"), (f"{THINGS}get.operationId", '"annotations"')),
    Refusal("a part of another schema", sends(object_of(Url={"$ref": "#/components/schemas/PurchaseRequest/properties/SmsUrl"})), ("schema.properties.Url.$ref", "components")),
    Refusal("a format that nobody knows", asks(Area=text(format="uiid")), ("PurchaseRequest.properties.Area.format", '"uiid"', "uuid")),
    Refusal("a format that the client does not check", asks(Area=text(format="ipv4")), ("PurchaseRequest.properties.Area.format", '"ipv4"', "pattern")),
    Refusal("allOf of what is no object", sends(object_of(V={"allOf": [ref("Word"), {"maxLength": 2}], "description": "V."}), schemas={"Word": text()}), ("schema.properties.V.allOf", "string", "beside the $ref")),
    Refusal("allowed values that are fractions", asks(Area={"type": "number", "enum": [1.5, 2.5], "description": "One."}), ("PurchaseRequest.properties.Area.enum", "whole numbers")),
    Refusal("a constant that is an object", asks(Area={"const": {"a": 1}, "description": "One."}), ("PurchaseRequest.properties.Area.const",)),
    Refusal("no allowed value at all", asks(Area={"enum": [], "description": "None."}), ("PurchaseRequest.properties.Area.enum", "at least 1 item")),
    Refusal("a dot in the name of a path parameter", adds("/things/{a.b}", parameters=[make.parameter("a.b", "path")]), ("parameters[0].name", '"a.b"')),
    Refusal("two paths that are one", two_paths_that_are_one, ("paths./things/{b}", "/things/{a}")),
    Refusal("a header that the client writes itself", takes("Content-Type", "header"), (f"{PLACE}.name", '"Content-Type"')),
    Refusal("a header with a space", takes("X Tag", "header"), (f"{PLACE}.name", '"X Tag"')),
    Refusal("a cookie with a semicolon", takes("a;b", "cookie"), (f"{PLACE}.name", '"a;b"')),
    Refusal("one header in two cases", adds(parameters=[make.parameter("X-Tag", "header"), make.parameter("x-tag", "header")]), (f"{THINGS}get.parameters[1]", '"X-Tag"')),
    Refusal("an object in an object in the query", takes("Filter", schema=object_of(Inner=THING)), (f"{PLACE}.schema.properties.Inner", "flatten")),
    Refusal("any members in the query", takes("Filter", schema={"type": "object", "additionalProperties": TEXT}), (PLACE, "named members")),
    Refusal("one name in the query twice", adds(parameters=[make.parameter("name"), make.parameter("Filter", schema=THING)]), (f"{THINGS}get.parameters[1]", '"Filter" writes name')),
    Refusal("a required list in a form", sends(object_of("Tag", Tag={"type": "array", "items": TEXT, "description": "Tags."}), make.FORM), ("schema.properties.Tag", "minItems")),
    Refusal("a required list in the query", takes("Tag", schema={"type": "array", "items": TEXT}, required=True), (f"{PLACE}.schema", "minItems")),
    Refusal("no servers", lambda document: document.pop("servers"), ("document", "servers")),
    Refusal("a pattern that Python lacks", asks(Area=text(pattern=r"\\p{L}")), ("PurchaseRequest", r"\\p{L}")),
]  # fmt: skip
