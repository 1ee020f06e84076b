"""Rows for new operations: their parameters, bodies and replies."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from signalwire_compat_mock import DEFAULT_TOKEN

from tests.conftest import PROJECT
from tests.edits.helpers import *

ADDED = "compatible added"
GOT, POSTED = "GET /things", "POST /things"
BIG = 2**63 - 1
LONG = "_".join(["a_very_long_name_of_a_thing"] * 5)
CAT = object_of("purrs", purrs={"type": "boolean", "description": "Whether it does."})
DOG = object_of("barks", barks={"type": "boolean", "description": "Whether it does."})
PETS = {"Cat": CAT, "Dog": DOG}
THING = object_of("name", name=text(), size={"type": "integer", "description": "In mm."})
TREES = {
    "Tree": object_of("name", name=text(maxLength=3), twigs=list_of(ref("Tree")), root=ref("Tree"), next={"oneOf": [ref("Tree"), {"type": "null"}], "description": "The next, if any."}, named=ref("Trees"), branch=ref("Branch")),
    "Trees": {"type": "object", "description": "By name.", "additionalProperties": ref("Tree")},
    "Branch": object_of(tree=ref("Tree")),
}  # fmt: skip
PAGES: Document = {"x-pages": {"items": "things", "next": "next"}}
PROBLEM = object_of("title status", title=text(), status={"type": "integer", "description": "HTTP status."}, detail=text())  # fmt: skip

SIZE = {"type": "integer", "description": "In mm."}
REPEATS: Document = {
    "x-reply-repeats": {
        "sid": {"argument": "Sid", "compare": "exact"},
        "size": {"argument": "Size", "compare": "exact"},
    }
}
REPEATING = adds("/things/{Sid}", parameters=[parameter("Sid", "path"), parameter("Size", schema=SIZE)], responses={"200": reply(object_of("sid", sid=text(), size=SIZE))}, **REPEATS)  # fmt: skip


def parted(name: str, value: object, file_name: str = "", kind: str = "") -> str:
    """Write a part of a multipart body, lines between bars, without the boundary."""
    file = f'; filename="{file_name}"' if file_name else ""
    kind = f"|Content-Type: {kind}" if kind else ""
    return f'--|Content-Disposition: form-data; name="{name}"{file}{kind}||{value}|'


def not_sent(argument: str, words: str, comment: str = "") -> str:
    """Write the code of a call that is refused with these words, and not sent."""
    refused = f"pytest.raises(ValueError, match={re.escape(words)!r})"
    return f"with {refused}:\n    compat.things.try_it({argument}){comment}"


def no_file(argument: str) -> str:
    """Write the code of a call that passes something else than a file."""
    return not_sent(argument, "must be a File", "  # type: ignore[arg-type]")


def silent(*keys: str, **parts: Any) -> Edit:
    """Make an edit that adds an operation without some of its keys."""
    return both(adds(**parts), change("paths /things get", **dict.fromkeys(keys, GONE)))


DIGEST = {"type": "http", "scheme": "digest", "description": "A digest."}
BASIC = "authorization: Basic " + b64encode(f"{PROJECT}:{DEFAULT_TOKEN}".encode()).decode()
TEXTS = list_of(TEXT)
SERVERS = [{"url": "https://example.com/v1", "description": "One."}]
DONE = "compat.things.try_it()"
NONE = "it: None = compat.things.try_it()  # type: ignore[func-returns-value]"


def closed(keyword: Any) -> Edit:
    """Make an edit that adds an operation whose body is an object without other members."""
    return sends(ref("Thing"), schemas={"Thing": {**THING, "unevaluatedProperties": keyword}})


ID = {"type": "integer", "readOnly": True, "description": "It."}
ONE_WAY: Document = {
    "Id": ID,
    "Item": {"allOf": [object_of(id=ID), object_of(name=TEXT)], "required": ["id", "name"], "description": "One."},
    "Box": object_of("id key items", id=ref("Id"), key=text(writeOnly=True), items=list_of(ref("Item"))),
}  # fmt: skip


FACTS = object_of(name=TEXT, size=SIZE)


def segment(schema: Document, **more: Any) -> Edit:
    """Make an edit that adds an operation with this parameter in its path."""
    return adds("/things/{Id}", parameters=[{**parameter("Id", "path", schema), **more}])


# Each of them fits both schemas, but for the discriminator.
PET = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat", "hound": "Dog"}}, "description": "A pet."}  # fmt: skip
TAGGED: Document = {
    "schemas": {"Cat": object_of("kind", kind=text(), name=text(maxLength=3)), "Dog": object_of("kind", kind=text()), "Pet": PET},
    "requestBody": body(object_of("pet", pet=ref("Pet"))),
    "responses": {"200": reply(ref("Pet"), {"kind": "hound", "name": "too long"})},
}  # fmt: skip


# What a contract can leave out, say in another way, or say without effect.
VARIANTS = [
    Row("credentials of the whole contract", both(silent("security"), lambda d: d.update(security=[{"ProjectToken": []}])), ADDED, DONE, GOT, BASIC),
    Row("no credentials at all", silent("security"), ADDED, DONE, GOT, lacks="authorization"),
    Row("an anonymous operation", both(adds(security=[{}]), lambda d: d.update(security=[{"ProjectToken": []}])), ADDED, DONE, GOT, lacks="authorization"),
    Row("credentials of several kinds", both(change("components securitySchemes", Key=DIGEST), adds(security=[{"Key": []}, {"ProjectToken": []}])), ADDED, DONE, GOT, BASIC),
    Row("credentials that the client lacks, or none", both(change("components securitySchemes", Key=DIGEST), adds(security=[{"Key": []}, {}])), ADDED, DONE, GOT, lacks="authorization"),
    Row("a number that does not explode", takes("Limit", schema=SIZE, explode=False, style="form"), ADDED, "compat.things.try_it(Limit=3)", f"{GOT}?Limit=3"),
    Row("a header that explodes", takes("X-Tag", "header", explode=True), ADDED, "compat.things.try_it(XTag='a')", GOT, "x-tag: a"),
    Row("a list that does not explode", takes("Tag", schema=TEXTS, explode=False), ADDED, "compat.things.try_it(Tag=['a b', 'c,d'])\ncompat.things.try_it(Tag=[])\ncompat.things.try_it()", f"{GOT}?Tag=a+b,c%2Cd\n{GOT}\n{GOT}"),
    Row("numbers that do not explode", takes("Size", schema={**list_of(SIZE), "maxItems": 2}, explode=False), ADDED, "compat.things.try_it(Size=[1, 2])\n" + not_sent("Size=[1, 2, 3]", "0 to 2 items"), f"{GOT}?Size=1,2"),
    Row("a list with spaces", takes("Tag", schema=TEXTS, style="spaceDelimited"), ADDED, "compat.things.try_it(Tag=['a+b', 'c'])\n" + not_sent("Tag=['a b', 'c']", "is between its items"), f"{GOT}?Tag=a%2Bb%20c"),
    Row("a list with bars", takes("Tag", schema=TEXTS, style="pipeDelimited"), ADDED, "compat.things.try_it(Tag=['a b', 'c'])\n" + not_sent("Tag=['a|b']", "is between its items"), f"{GOT}?Tag=a+b%7Cc"),
    Row("a list that explodes in any style", takes("Tag", schema=TEXTS, style="pipeDelimited", explode=True), ADDED, "compat.things.try_it(Tag=['a', 'b|c'])", f"{GOT}?Tag=a&Tag=b%7Cc"),
    Row("a deep object", takes("Filter", schema=THING, style="deepObject", explode=True), ADDED, "compat.things.try_it(Filter=m.TryItFilter(name='a&b', size=3))\ncompat.things.try_it()", f"{GOT}?Filter%5Bname%5D=a%26b&Filter%5Bsize%5D=3\n{GOT}"),
    Row("deep objects of equal members", adds(parameters=[{**parameter(name, schema=THING), "style": "deepObject"} for name in ("A", "B")]), ADDED, "compat.things.try_it(A=m.TryItA(name='a'), B=m.TryItB(name='b'))", f"{GOT}?A%5Bname%5D=a&B%5Bname%5D=b"),
    Row("an object closed by another keyword", closed(False), ADDED, "compat.things.try_it(name='a')\nassert not hasattr(m.Thing(name='a'), 'additional_properties')", POSTED + ' {"name": "a"}'),
    Row("an object closed by a schema", closed({"not": {}}), ADDED, "compat.things.try_it(name='a')\nassert not hasattr(m.Thing(name='a'), 'additional_properties')", POSTED + ' {"name": "a"}'),
    Row("a pattern of letters in any script", takes("Name", schema=text(pattern=r"^\p{Lu}[\p{L} '-]*$", maxLength=9)), ADDED, "compat.things.try_it(Name='Ünï-é')\n" + not_sent("Name='ünï'", r"must be text that matches ^\p{Lu}[\p{L} '-]*$, got"), f"{GOT}?Name=%C3%9Cn%C3%AF-%C3%A9"),
    Row("a pattern that Python can't check", takes("Name", schema=text(pattern=r"(?<=\p{Script=Cyrillic}+)b")), ADDED, "compat.things.try_it(Name='яb')", f"{GOT}?Name=%D1%8Fb"),
    Row("a format that the client does not check", takes("Ip", schema=text(format="ipv4")), ADDED, "compat.things.try_it(Ip='a')", f"{GOT}?Ip=a"),
    Row("an unknown format of a reply", replies(object_of(at=text(format="e164")), {"at": "x"}), ADDED, "it = compat.things.try_it()\nassert it.at == 'x'", GOT),
    Row("an optional parameter that may be null", takes("Size", schema={**SIZE, "type": ["integer", "null"]}), ADDED, "compat.things.try_it(Size=3)", f"{GOT}?Size=3"),
    Row("a keyword of OpenAPI 3.0", takes("Name", schema=text(nullable=True)), ADDED, "compat.things.try_it(Name='a')", f"{GOT}?Name=a"),
    Row("a body in a reply of status 204", adds(responses={"204": reply(THING)}), ADDED, DONE, GOT),
    Row("replies without a body for a client", adds(method="head", responses={"200": reply(THING), "1XX": reply()}), ADDED, NONE, "HEAD /things"),
    Row("headers that other parts say", adds(parameters=[{**parameter(name, "header"), "required": True} for name in ("Accept", "authorization", "Content-Type")]), ADDED, DONE, GOT, BASIC),
    Row("any value, as true", sends(object_of(it=True, that=ref("Any")), schemas={"Any": True}), ADDED, "compat.things.try_it(it=[1], that='a')", POSTED + ' {"it": [1], "that": "a"}'),
    Row("a required member of no part", replies(ref("Thing"), {"name": "a", "more": 1}, schemas={"Thing": {"allOf": [object_of(name=TEXT)], "required": ["name", "more"], "description": "A thing."}}), ADDED, "it = compat.things.try_it()\nassert (it.name, it.additional_properties['more']) == ('a', 1)", GOT),
    Row("a reply of any type", adds(responses={"200": reply(THING, {"name": "a"}, "*/*")}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/json"),
    Row("text of any type", adds(responses={"200": reply(TEXT, "a", "*/*")}), ADDED, "it = compat.things.try_it()\nassert_type(it, str)\nassert it == 'a'", GOT, "accept: text/plain, application/json"),
    Row("a file in JSON or in a form", adds(method="post", schemas={"Photo": object_of("image", image=FILE)}, requestBody={"required": True, "content": {JSON: {"schema": ref("Photo")}, MULTIPART: {"schema": ref("Photo")}}}), ADDED, "compat.things.try_it(image=File(payload=b'a', file_name='a.png'))", f"{POSTED} {parted('image', 'a', 'a.png', 'image/png')}----|"),
    Row("an unknown keyword", takes("Word", schema=text(maxLenght=3, **{"$comment": "It."})), ADDED, "compat.things.try_it(Word='abcd')", f"{GOT}?Word=abcd"),
    Row("an example that does not fit", replies(object_of("size", size={**SIZE, "example": "b"}), {"size": "a"}), ADDED, "it = compat.things.try_it()\nassert it.size == 0", GOT),
    Row("a default that does not fit", takes("Size", schema={**SIZE, "default": "large"}), ADDED, "compat.things.try_it(Size=3)", f"{GOT}?Size=3"),
    Row("OpenAPI 3.0", both(lambda d: d.update(openapi="3.0.3"), adds(parameters=[parameter("Size", schema={**SIZE, "minimum": 0, "exclusiveMinimum": True})], schemas={"Thing": THING}, responses={"200": reply(object_of("size thing any never", size={**SIZE, "nullable": True}, thing={"allOf": [ref("Thing")], "nullable": True, "description": "It."}, any={"oneOf": [ref("Thing"), TEXT], "nullable": True, "description": "It."}, never={**SIZE, "nullable": False, "maximum": 9, "exclusiveMaximum": False}), {"size": None, "thing": None, "any": None, "never": 9})})), ADDED, "it = compat.things.try_it(Size=1)\nassert_type(it.size, int | None)\nassert_type(it.thing, m.Thing | None)\nassert (it.size, it.thing, it.any_, it.never) == (None, None, None, 9)\n" + not_sent("Size=0", "above 0"), f"{GOT}?Size=1"),
    Row("equal servers everywhere", both(adds(servers=SERVERS), lambda d: d.update(servers=SERVERS), lambda d: d["paths"]["/things"].update(servers=SERVERS)), f"{ADDED}, compatible changed", DONE, "GET /v1/things"),
    Row("servers of each path alone", lambda d: [adds()(d), d.pop("servers"), [item.update(servers=SERVERS) for item in d["paths"].values()]], f"{ADDED}, compatible changed", DONE, "GET /v1/things"),
    Row("another server for an operation", adds(servers=[{"url": "https://files.example.com/{version}/", "variables": {"version": {"default": "v2"}}}]), ADDED, DONE, "GET /v2/things"),
    Row("another server for a path", both(adds(), lambda d: d["paths"]["/things"].update(servers=[{"url": "/v4"}])), ADDED, DONE, "GET /v4/things"),
    Row("servers of one path alone", both(adds(servers=SERVERS), lambda d: d.pop("servers")), f"{ADDED}, compatible changed", DONE, "GET /v1/things"),
    Row("one schema in two content types", adds(method="post", schemas={"Thing": THING}, requestBody={"required": True, "content": {JSON: {"schema": ref("Thing")}, FORM: {"schema": ref("Thing")}}}), ADDED, "compat.things.try_it(name='a')", POSTED + ' {"name": "a"}'),
    Row("XML beside the JSON of a body", adds(method="post", requestBody={"required": True, "content": {"application/xml": {"schema": THING}, JSON: {"schema": THING}}}), ADDED, "compat.things.try_it(name='a')", POSTED + ' {"name": "a"}'),
    Row("an image as a reply", adds(responses={"200": reply(FILE, "a", "image/png")}), ADDED, "it = compat.things.try_it()\nassert_type(it, bytes)\nassert it == b'a'", GOT, "accept: image/png, application/json"),
    Row("a PDF without a schema as a reply", adds(responses={"200": {"description": "A page.", "content": {"application/pdf": {}}}}), ADDED, "it = compat.things.try_it()\nassert_type(it, bytes)\nassert it == b'text'", GOT),
    Row("an image as a body", sends(FILE, "image/png"), ADDED, "compat.things.try_it(body=File(payload=b'a'))", POSTED + " a", "content-type: image/png"),
    Row("no servers", both(adds(), lambda d: d.pop("servers")), f"{ADDED}, compatible changed", DONE, GOT),
    Row("a server that is a path", both(adds(), lambda d: d.update(servers=[{"url": "/v3"}])), f"{ADDED}, compatible changed", DONE, "GET /v3/things"),
    Row("JSON without a schema", adds(method="post", requestBody={"required": True, "content": {JSON: {}}}, responses={"200": {"description": "It.", "content": {JSON: {"example": [1]}}}}), ADDED, "it = compat.things.try_it(body={'a': [1]})\nassert it == [1]", POSTED + ' {"a": [1]}'),
    Row("text without a schema", adds(responses={"200": {"description": "It.", "content": {"text/csv": {"example": "a,b"}}}}), ADDED, "it = compat.things.try_it()\nassert_type(it, str)\nassert it == 'a,b'", GOT),
    Row("no tag", silent("tags"), ADDED, "compat.default.try_it()", GOT),
    Row("several tags", adds(tags=["more things", "phone_numbers"]), ADDED, "compat.more_things.try_it()", GOT),
    Row("a tag with the name of a schema", replies(ref("Shop"), {"name": "a"}, schemas={"Shop": THING, "AsyncShop": THING}, tags=["shop"]), ADDED, "it = compat.shop.try_it()\nassert_type(it, m.Shop)", GOT),
    Row("schemas with names of the package", replies(object_of("file self any error", file=ref("File"), self=ref("Self"), any=ref("Any"), error=ref("ValueError")), {"file": {"name": "a"}, "self": {}, "any": "x", "error": {"name": "b"}}, schemas={"File": THING, "Self": object_of(a=TEXT), "Any": {"type": "string", "enum": ["x"], "description": "X."}, "ValueError": THING}), ADDED, "it = compat.things.try_it()\nassert_type(it.file, m.FileModel)\nassert isinstance(it.self_, m.SelfModel)\nassert it.any_ == 'x' and isinstance(it.error, m.ValueError_)", GOT),
    Row("tags with names of the package, and alike", both(adds(tags=["rest client"]), adds("/more", tags=["async shop"], operationId="more"), adds("/most", tags=["shop"], operationId="most")), f"{ADDED}, {ADDED}, {ADDED}", "compat.rest_client.try_it()\ncompat.async_shop.more()\ncompat.shop.most()", f"{GOT}\nGET /more\nGET /most"),
    Row("parameters that differ only in signs", adds(parameters=[parameter(name) for name in ("Time", "Time<", "Time>=")]), ADDED, "compat.things.try_it(Time='a', Time_lt='b', Time_gt_eq='c')", f"{GOT}?Time=a&Time%3C=b&Time%3E%3D=c"),
    Row("no success but the default reply", adds(responses={"default": reply(THING, {"name": "a"})}), ADDED, "it = compat.things.try_it()\nassert_type(it, m.TryItResponse2XX)\nassert it.name == 'a'", GOT),
    Row("no success but the default reply to HEAD", adds(method="head", responses={"default": reply(ref("Error"))}), ADDED, NONE, "HEAD /things"),
    Row("only errors", adds(responses={"5XX": reply(ref("Error"))}), ADDED, NONE, GOT),
    Row("only redirects", adds(responses={"3XX": reply(THING)}), ADDED, NONE, GOT),
    Row("no responses", silent("responses"), ADDED, NONE, GOT),
    Row("a required list in the query", takes("Tag", schema=TEXTS, required=True), ADDED, "compat.things.try_it(Tag=['a'])\n" + not_sent("Tag=[]", "a list of 1 or more items"), f"{GOT}?Tag=a"),
    Row("a required list in a form", sends(object_of("Tag", Tag=TEXTS), FORM), ADDED, "compat.things.try_it(Tag=['a'])\n" + not_sent("Tag=[]", "a list of 1 or more items"), f"{POSTED} Tag=a"),
    Row("a required list in a form or in JSON", adds(method="post", schemas={"Tags": object_of("Tag", Tag=TEXTS), "Cat": CAT}, requestBody={"required": True, "content": {JSON: {"schema": ref("Cat")}, MULTIPART: {"schema": ref("Tags")}}}, responses={"200": reply(ref("Tags"), {"Tag": []})}), ADDED, "it = compat.things.try_it(body=m.Tags(tag=['a']))\nassert it.tag == []\n" + not_sent("body=m.Tags(tag=[])", "a list of 1 or more items"), f"{POSTED} {parted('Tag', 'a')}----|"),
    Row("one name in every place", adds("/things/{Id}", parameters=[parameter("Id", "cookie"), parameter("Id", "header"), parameter("Id"), parameter("I-d"), parameter("Id", "path")]), ADDED, "compat.things.try_it('a', Id_query='b', Id_header='c', Id_cookie='d', Id_query_='e')", f"{GOT}/a?Id=b&I-d=e", "id: c"),
    Row("a keyword that the server alone checks", sends(object_of(name={**text(), "not": {"const": "a"}})), ADDED, "compat.things.try_it(name='b')", POSTED + ' {"name": "b"}'),
    Row("a choice that several schemas allow", sends(object_of(it={"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}], "description": "It."})), ADDED, "compat.things.try_it(it=3)\ncompat.things.try_it(it=5.5)\n" + not_sent("it=7", "it must be what one schema of a choice allows, not 2 of them, got"), f'{POSTED} {{"it": 3}}\n{POSTED} {{"it": 5.5}}'),
    Row("a discriminator", adds(method="post", **TAGGED), ADDED, "it = compat.things.try_it(pet=m.Cat(kind='cat', name='a'))\nassert_type(it, m.Cat | m.Dog)\nassert type(it) is m.Dog and it.kind == 'hound'\ncompat.things.try_it(pet=m.Dog(kind='Dog'))\n" + not_sent("pet=m.Cat(kind='cow')", 'pet.kind must be "cat" or "Cat" or "hound" or "Dog", got "cow"') + "\n" + not_sent("pet=m.Cat(kind='cat', name='abcd')", "name must be text of 0 to 3 characters"), f'{POSTED} {{"pet": {{"kind": "cat", "name": "a"}}}}\n{POSTED} {{"pet": {{"kind": "Dog"}}}}'),
    Row("a discriminator of no choice", replies(ref("Pet"), {"kind": "a"}, schemas={"Pet": {**object_of("kind", kind=text()), "discriminator": {"propertyName": "kind"}}}), ADDED, "it = compat.things.try_it()\nassert it.kind == 'a'", GOT),
    Row("members of requests or replies alone", adds(method="post", schemas=ONE_WAY, requestBody=body(ref("Box")), responses={"200": reply(ref("Box"), {"id": 1, "items": [{"id": 2, "name": "a"}]})}), ADDED, "it = compat.things.try_it(key='k', items=[m.ItemRequest(name='a')])\nassert_type(it, m.Box)\nassert_type(it.id, int)\nassert it.items and it.items[0].id == 2\nassert not hasattr(it, 'key') and not hasattr(m.ItemRequest(name='a'), 'id')", POSTED + ' {"key": "k", "items": [{"name": "a"}]}'),
    Row("a member of replies in a schema of requests alone", sends(ref("Item"), schemas=ONE_WAY), ADDED, "compat.things.try_it(name='a')\nassert not hasattr(m.Item(name='a'), 'id')", POSTED + ' {"name": "a"}'),
    Row("a member of requests in a schema of replies alone", replies(object_of("key", key=text(writeOnly=True), name=text()), {"name": "a"}), ADDED, "it = compat.things.try_it()\nassert not hasattr(it, 'key') and it.name == 'a'", GOT),
    Row("a list in the path", segment(TEXTS), ADDED, "compat.things.try_it(['a b', 'c,d'])\n" + not_sent("Id=[]", "1 or more items"), f"{GOT}/a%20b,c%2Cd"),
    Row("a list in the path as a form", segment(list_of(SIZE), style="form"), ADDED, "compat.things.try_it([1, 2])", f"{GOT}/1,2"),
    Row("a list in the path after a point", segment(TEXTS, style="label"), ADDED, "compat.things.try_it(['a', 'b.c'])", f"{GOT}/.a,b.c"),
    Row("a list in the path after points", segment(TEXTS, style="label", explode=True), ADDED, "compat.things.try_it(['a', 'b,c'])\n" + not_sent("Id=['a.b']", "is between its items"), f"{GOT}/.a.b%2Cc"),
    Row("a list in the path after a semicolon", segment(TEXTS, style="matrix"), ADDED, "compat.things.try_it(['a', 'b;c'])", f"{GOT}/;Id=a,b%3Bc"),
    Row("a list in the path after semicolons", segment(TEXTS, style="matrix", explode=True), ADDED, "compat.things.try_it(['a', 'b'])", f"{GOT}/;Id=a;Id=b"),
    Row("a number in the path after a semicolon", segment(SIZE, style="matrix"), ADDED, "compat.things.try_it(3)", f"{GOT}/;Id=3"),
    Row("a list in a header", takes("X-Tag", "header", list_of(SIZE)), ADDED, "compat.things.try_it(XTag=[1, 2])\ncompat.things.try_it()", f"{GOT}\n{GOT}", "x-tag: 1,2"),
    Row("a list of text in a header", takes("X-Tag", "header", TEXTS, style="form", explode=True), ADDED, "compat.things.try_it(XTag=['a', 'b c'])\n" + not_sent("XTag=['a,b']", "is between its items"), GOT, "x-tag: a,b c"),
    Row("schemas of equal titles", sends(object_of(a=ref("A"), b=ref("B")), schemas={"A": {**THING, "title": "It"}, "B": {**CAT, "title": "It"}, "It": DOG}), ADDED, "compat.things.try_it(a=m.A(name='a'), b=m.B(purrs=True))\nassert m.It(barks=True).barks", POSTED + ' {"a": {"name": "a"}, "b": {"purrs": true}}'),
    Row("inline schemas of equal titles", sends(object_of(a={**THING, "title": "It"}, b={**CAT, "title": "It"}, it={"oneOf": [{**DOG, "title": "It"}, SIZE], "description": "It."})), ADDED, "compat.things.try_it(a=m.TryItBodyIt(name='a'), b=m.TryItBodyIt2(purrs=True), it=m.TryItBodyIt3(barks=True))", POSTED + ' {"a": {"name": "a"}, "b": {"purrs": true}, "it": {"barks": true}}'),
    Row("inline schemas with names of components", sends(ref("Thing"), schemas={"Thing": object_of(size={"enum": ["s"], "description": "It."}, part=object_of(side=CAT), sides={"type": "array", "items": DOG}), "ThingSize": {"enum": ["m"], "description": "M."}, "ThingPart": THING, "ThingSidesItem": THING}, responses={"200": reply(ref("ThingPart"), {"name": "a"})}), ADDED, "it = compat.things.try_it(size='s', part=m.ThingPart2(side=m.ThingPart2Side(purrs=True)), sides=[m.ThingSidesItem2(barks=True)])\nassert_type(it, m.ThingPart)\nassert it.name == 'a'", POSTED + ' {"size": "s", "part": {"side": {"purrs": true}}, "sides": [{"barks": true}]}'),
    Row("a parameter of two operations with the names of components", both(adds(parameters=[{"$ref": "#/components/parameters/Kind"}], schemas={"TryItKind": THING, "OtherKind": THING}), lambda d: d["components"]["parameters"].update(Kind=parameter("Kind", schema={"enum": ["a"], "description": "It."})), adds("/other", operationId="other", parameters=[{"$ref": "#/components/parameters/Kind"}])), f"{ADDED}, {ADDED}", "compat.things.try_it(Kind='a')\ncompat.things.other(Kind='a')\nassert (m.TryItKind(name='a').name, m.OtherKind(name='b').name) == ('a', 'b')", f"{GOT}?Kind=a\nGET /other?Kind=a"),
    Row("two choices in one schema", sends(object_of(it={"anyOf": [{"type": "integer"}, TEXT], "oneOf": [{"type": "integer", "minimum": 5}, text(maxLength=3)], "description": "It."})), ADDED, "compat.things.try_it(it=5)\ncompat.things.try_it(it='abc')\n" + not_sent("it=4", "it must be a whole number, at least 5, got int 4") + "\n" + not_sent("it='abcd'", "text of 0 to 3 characters"), f'{POSTED} {{"it": 5}}\n{POSTED} {{"it": "abc"}}'),
    Row("a choice of required members", sends(ref("Key"), schemas={"Key": {**object_of(id=TEXT, name=TEXT, size=SIZE), "anyOf": [{"required": ["id"]}, {"required": ["name"]}], "oneOf": [{"required": ["size"]}, {"properties": {"size": {"not": {}}}, "not": {"required": ["size"]}, "required": ["name"]}]}}, responses={"200": reply(ref("Key"), {"id": "a", "size": 3})}), ADDED, "it = compat.things.try_it(id='a', size=3)\nassert_type(it, m.Key)\nassert (it.id, it.size) == ('a', 3)\n" + not_sent("size=3", "id is missing"), POSTED + ' {"id": "a", "size": 3}'),
    Row("a list of anything", sends(object_of(it={"type": "array", "description": "It."})), ADDED, "compat.things.try_it(it=['a', 3])", POSTED + ' {"it": ["a", 3]}'),
    Row("allOf in allOf", sends(ref("Thing"), schemas={"Thing": {"allOf": [THING, {"allOf": [CAT, {"allOf": [DOG]}]}], "description": "It."}}), ADDED, "compat.things.try_it(name='a', purrs=True, barks=False)\nassert m.Thing(name='a', purrs=True, barks=False).barks is False", POSTED + ' {"name": "a", "purrs": true, "barks": false}'),
    Row("an object in a query as one value", takes("Filter", schema=FACTS, explode=False), ADDED, "it = m.TryItFilter(name='a,b', size=3)\nit.additional_properties['x y'] = 'c&d'\ncompat.things.try_it(Filter=it)\ncompat.things.try_it(Filter=m.TryItFilter())", f"{GOT}?Filter=name,a%2Cb,size,3,x+y,c%26d\n{GOT}"),
    Row("an object in a query with spaces", takes("Filter", schema=FACTS, style="spaceDelimited"), ADDED, "compat.things.try_it(Filter=m.TryItFilter(name='a', size=3))\n" + not_sent("Filter=m.TryItFilter(name='a b')", "is between its items"), f"{GOT}?Filter=name%20a%20size%203"),
    Row("an object in a query with bars", takes("Filter", schema=FACTS, style="pipeDelimited", explode=False), ADDED, "compat.things.try_it(Filter=m.TryItFilter(name='a', size=3))", f"{GOT}?Filter=name%7Ca%7Csize%7C3"),
    Row("an object in the path", segment(FACTS), ADDED, "compat.things.try_it(m.TryItId(name='a,b', size=3))\n" + not_sent("m.TryItId()", "can't be ''"), f"{GOT}/name,a%2Cb,size,3"),
    Row("an exploded object in the path", segment(FACTS, explode=True), ADDED, "it = m.TryItId(name='a=b,c', size=3)\nit.additional_properties['x=y'] = 'z'\ncompat.things.try_it(it)", f"{GOT}/name=a%3Db%2Cc,size=3,x%3Dy=z"),
    Row("an object in the path after a point", segment(FACTS, style="label"), ADDED, "compat.things.try_it(m.TryItId(name='a.b', size=3))", f"{GOT}/.name,a.b,size,3"),
    Row("an exploded object in the path after points", segment(FACTS, style="label", explode=True), ADDED, "compat.things.try_it(m.TryItId(name='a', size=3))\n" + not_sent("m.TryItId(name='a.b')", "is between its items"), f"{GOT}/.name=a.size=3"),
    Row("an object in the path after a semicolon", segment(FACTS, style="matrix"), ADDED, "compat.things.try_it(m.TryItId(name='a;b', size=3))", f"{GOT}/;Id=name,a%3Bb,size,3"),
    Row("an exploded object in the path after semicolons", segment(FACTS, style="matrix", explode=True), ADDED, "compat.things.try_it(m.TryItId(name='a', size=3))\n" + not_sent("m.TryItId()", "can't be ''"), f"{GOT}/;name=a;size=3"),
    Row("an object in a header", takes("X-It", "header", FACTS), ADDED, "compat.things.try_it(XIt=m.TryItXIt(name='a b', size=3))\ncompat.things.try_it()\ncompat.things.try_it(XIt=m.TryItXIt())\n" + not_sent("XIt=m.TryItXIt(name='a,b')", "',' is between its items"), f"{GOT}\n{GOT}\n{GOT}", "x-it: name,a b,size,3"),
    Row("an exploded object in a header", takes("X-It", "header", FACTS, explode=True), ADDED, "it = m.TryItXIt(name='a=b', size=3)\ncompat.things.try_it(XIt=it)\nit.additional_properties['x=y'] = 'z'\n" + not_sent("XIt=it", "'=' is between its items"), GOT, "x-it: name=a=b,size=3"),
    Row("a list in a cookie as one value", takes("Tag", "cookie", TEXTS, explode=False), ADDED, "compat.things.try_it(Tag=['a,b', 'c d'])\ncompat.things.try_it(Tag=[])", f"{GOT}\n{GOT}", "cookie: Tag=a%2Cb,c%20d"),
    Row("an exploded list in a cookie", adds(parameters=[parameter("Tag", "cookie", list_of(SIZE)), parameter("More", "cookie")]), ADDED, "compat.things.try_it(Tag=[1, 2], More='a&b')", GOT, "cookie: Tag=1&Tag=2; More=a%26b"),
    Row("an object in a cookie as one value", takes("It", "cookie", FACTS, explode=False), ADDED, "compat.things.try_it(It=m.TryItIt(name='a,b', size=3))\ncompat.things.try_it()", f"{GOT}\n{GOT}", "cookie: It=name,a%2Cb,size,3"),
    Row("an exploded object in a cookie", takes("It", "cookie", FACTS), ADDED, "compat.things.try_it(It=m.TryItIt(name='a&b', size=3))\ncompat.things.try_it(It=m.TryItIt())", f"{GOT}\n{GOT}", "cookie: name=a%26b&size=3"),
    Row("an object of parts without other members", sends(object_of(it=ref("Both")), schemas={"Cat": CAT, "Both": {"allOf": [ref("Cat"), object_of(name=TEXT)], "unevaluatedProperties": False, "description": "It."}}), ADDED, "it = m.Both(purrs=True, name='a')\ncompat.things.try_it(it=it)\nit.additional_properties['b'] = 1\n" + not_sent("it=it", "it.b is not a known field"), POSTED + ' {"it": {"purrs": true, "name": "a"}}'),
    Row("an object of parts and a choice", sends(ref("Both"), schemas={"Cat": CAT, "Both": {"allOf": [ref("Cat"), {"if": {"required": ["purrs"]}, "then": object_of(name=TEXT)}], "unevaluatedProperties": {"not": {}}, "description": "It."}}), ADDED, "it = m.Both(purrs=True)\nit.additional_properties['name'] = 'a'\nassert it.to_dict() == {'purrs': True, 'name': 'a'}"),
    Row("text that only a pattern describes", adds(responses={"200": reply(object_of("sid at", sid=text(pattern="^AC[0-9a-f]{32}$"), at=text(pattern="^[a-z]+$", minLength=6, maxLength=8)))}), ADDED, "it = compat.things.try_it()\nassert len(it.sid) == 34 and it.sid.startswith('AC') and 6 <= len(it.at) <= 8", GOT),
    Row("no operationId", silent("operationId", "tags"), ADDED, "compat.default.get_things()", GOT),
    Row("names made of equal paths", both(silent("operationId"), adds("/things/", operationId="it"), change("paths /things/ get", operationId=GONE)), f"{ADDED}, {ADDED}", "compat.things.get_things()\ncompat.things.get_things_2()", f"{GOT}\n{GOT}/"),
]  # fmt: skip

METHODS = [
    Row("a GET operation", replies(THING, {"name": "a", "size": 3}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a' and it.size == 3", GOT),
    Row("a PUT operation", adds(method="put", requestBody=body(THING)), ADDED, "compat.things.try_it(name='a')", 'PUT /things {"name": "a"}'),
    Row("a POST operation", sends(THING), ADDED, "compat.things.try_it(name='a', size=3)", POSTED + ' {"name": "a", "size": 3}'),
    Row("a PATCH operation", adds(method="patch", requestBody=body(THING)), ADDED, "compat.things.try_it(name='a')", 'PATCH /things {"name": "a"}'),
    Row("a DELETE operation", adds("/things/{Id}", "delete", parameters=[parameter("Id", "path")]), ADDED, "compat.things.try_it(Id='a/b')", "DELETE /things/a%2Fb"),
    Row("a HEAD operation", adds(method="head", responses={"200": reply()}), ADDED, "compat.things.try_it()", "HEAD /things"),
    Row("an OPTIONS operation", adds(method="options"), ADDED, "compat.things.try_it()", "OPTIONS /things"),
    Row("a TRACE operation", adds(method="trace"), ADDED, "compat.things.try_it()", "TRACE /things"),
    Row("a tag in another script", adds(tags=["Ünï things"]), ADDED, "compat.ü_n_ï_things.try_it()", GOT),
    Row("two operations of one path", both(adds(), adds(method="delete", operationId="drop")), f"{ADDED}, {ADDED}", "compat.things.try_it()\ncompat.things.drop()", f"{GOT}\nDELETE /things"),
    Row("replies that repeat arguments", REPEATING, ADDED, "it = compat.things.try_it(Sid='a b', Size=3)\nassert (it.sid, it.size) == ('a b', 3)", f"{GOT}/a%20b?Size=3"),
    Row("an operation of an existing tag", adds(tags=["phone_numbers"]), ADDED, "compat.phone_numbers.try_it()", GOT),
    Row("operations named like builtins", both(adds("/a", operationId="list", parameters=[parameter("Tag", schema=list_of(TEXT))]), adds("/b", operationId="str", parameters=[parameter("Tag")]), adds("/c", operationId="dict", responses={"200": reply(object_of(tags=list_of(TEXT)), {"tags": ["a"]})})), f"{ADDED}, {ADDED}, {ADDED}", "compat.things.list(Tag=['a'])\ncompat.things.str(Tag='b')\nit = compat.things.dict()\nassert it.tags == ['a']", "GET /a?Tag=a\nGET /b?Tag=b\nGET /c"),
    Row("an operation named like a keyword", adds(operationId="import"), ADDED, "compat.things.import_()", GOT),
    Row("an operation without credentials", adds(security=[]), ADDED, "compat.things.try_it()", GOT),
]  # fmt: skip

PARAMETERS = [
    Row("a header parameter", takes("X-Trace", "header"), ADDED, "compat.things.try_it(XTrace='a, b')", GOT, "x-trace: a, b"),
    Row("a cookie parameter", takes("theme", "cookie"), ADDED, "compat.things.try_it(theme='dark')", GOT, "cookie: theme=dark"),
    Row("a query parameter", takes("Page"), ADDED, "compat.things.try_it(Page='a b&c')", GOT + "?Page=a+b%26c"),
    Row("a required parameter", takes("Page", required=True), ADDED, "compat.things.try_it(Page='')", GOT + "?Page="),
    Row("an array in the query", takes("Tag", schema={"type": "array", "items": TEXT}), ADDED, "compat.things.try_it(Tag=['a', 'b,c'])", GOT + "?Tag=a&Tag=b%2Cc"),
    Row("an object in the query", takes("Filter", schema=ref("Filter"), schemas={"Filter": THING}), ADDED, "compat.things.try_it(Filter=m.Filter(name='a', size=3))", GOT + "?name=a&size=3"),
    Row("a number and a boolean in the query", adds(parameters=[parameter("N", schema={"type": "number"}), parameter("On", schema={"type": "boolean"})]), ADDED, "compat.things.try_it(N=1.5, On=False)", GOT + "?N=1.5&On=false"),
    Row("a date and a time in path and query", adds("/things/{Day}", parameters=[parameter("Day", "path", text(format="date")), parameter("At", schema=text(format="date-time"))]), ADDED, "compat.things.try_it(Day=datetime.date(2026, 1, 31), At=datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC))", GOT + "/2026-01-31?At=2026-01-31T00%3A00%3A00Z"),
    Row("a parameter named body", takes("body"), ADDED, "compat.things.try_it(body='a')", GOT + "?body=a"),
    Row("a parameter named body beside a body", adds(method="post", parameters=[parameter("body")], requestBody=body(THING)), ADDED, "compat.things.try_it(body='a', name='b')", POSTED + '?body=a {"name": "b"}'),
    Row("parameters named like the client's own", adds(parameters=[parameter(name) for name in ("client", "url", "self", "request", "reply")]), ADDED, "compat.things.try_it(client='a', url='b', request='c')", GOT + "?client=a&url=b&request=c"),
    Row("parameters named like variables of the functions", adds("/{request}", parameters=[parameter("request", "path"), *(parameter(name) for name in ("arguments", "reply", "Reply", "datetime", "UNSET", "Rule"))]), ADDED, "compat.things.try_it(request='a', arguments='b', reply='c', Reply='d', UNSET='e')", "GET /a?arguments=b&reply=c&Reply=d&UNSET=e"),
    Row("one name in two places", adds("/things/{Id}", parameters=[parameter("Id", "path"), parameter("id")]), ADDED, "compat.things.try_it(Id='a', id='b')", GOT + "/a?id=b"),
    Row("names that differ only in case", adds(parameters=[parameter("size"), parameter("Size")]), ADDED, "compat.things.try_it(size='a', Size='b')", GOT + "?size=a&Size=b"),
]  # fmt: skip

ARGUMENTS = [
    Row("path parameters are positional", adds("/{AccountSid}/{Id}/{Part}", parameters=[ACCOUNT, parameter("Part", "path"), parameter("Id", "path")]), ADDED, "compat.things.try_it('a', 'b')\ncompat.things.try_it(Id='c', Part='d', AccountSid='e')", f"GET /{PROJECT}/a/b\nGET /e/c/d"),
    Row("an account of another name", adds("/{Owner}", parameters=[{**ACCOUNT, "name": "Owner"}]), ADDED, "compat.things.try_it()\ncompat.things.try_it(Owner='a')", f"GET /{PROJECT}\nGET /a"),
    Row("an account that callers name", adds("/{AccountSid}", parameters=[parameter("AccountSid", "path")]), ADDED, "compat.things.try_it('a')", "GET /a"),
    Row("a query with the name of the account", takes("AccountSid"), ADDED, "compat.things.try_it()\ncompat.things.try_it(AccountSid='a')", f"{GOT}\n{GOT}?AccountSid=a"),
    Row("a header with the name of the account", takes("AccountSid", "header", SIZE), ADDED, "compat.things.try_it(AccountSid=3)\ncompat.things.try_it()", f"{GOT}\n{GOT}", "accountsid: 3"),
    Row("an account in the path and in the body", adds("/{AccountSid}", "post", parameters=[ACCOUNT], requestBody=body(object_of(AccountSid=text(), Name=text()), FORM)), ADDED, "compat.things.try_it(AccountSid='a', Name='b')\ncompat.things.try_it(Name='c')", f"POST /{PROJECT} AccountSid=a&Name=b\nPOST /{PROJECT} Name=c"),
    Row("None for what may be left out", adds(method="post", parameters=[parameter("Page")], requestBody=body(object_of(Name=text(), Size={"type": ["integer", "null"], "description": "In mm."}))), ADDED, "compat.things.try_it(Page=None, Name=None)\ncompat.things.try_it(Page=None, Size=None)", POSTED + " {}\n" + POSTED + ' {"Size": null}'),
    Row("what a parameter is for, and its default", takes("Limit", schema={"type": "integer", "default": 50}), ADDED, "assert 'Limit: What to look for. Default: `50`.' in str(compat.things.try_it.__doc__)"),
    Row("the page about an operation", adds(externalDocs={"description": "Its page.", "url": "https://a.example/b"}), ADDED, "assert 'Source: https://a.example/b\\n' in str(compat.things.try_it.__doc__)"),
]  # fmt: skip

BODIES = [
    Row("an array in a form", sends(object_of(Tag={"type": "array", "items": TEXT}), FORM), ADDED, "compat.things.try_it(Tag=['a', 'b'])", POSTED + " Tag=a&Tag=b"),
    Row("an object in a form", sends(object_of(Thing=ref("Thing")), FORM, schemas={"Thing": THING}), ADDED, "compat.things.try_it(Thing=m.Thing(name='a'))", POSTED + " Thing=%7B%22name%22%3A+%22a%22%7D"),
    Row("an array in JSON", sends(object_of(Tag={"type": "array", "items": TEXT}, Things={"type": "array", "items": ref("Thing")}), schemas={"Thing": THING}), ADDED, "compat.things.try_it(Tag=['a'], Things=[m.Thing(name='b')])", POSTED + ' {"Tag": ["a"], "Things": [{"name": "b"}]}'),
    Row("an object in JSON", sends(object_of(Thing=ref("Thing")), schemas={"Thing": THING}), ADDED, "compat.things.try_it(Thing=m.Thing(name='a'))", POSTED + ' {"Thing": {"name": "a"}}'),
    Row("a body that is an array", sends({"type": "array", "items": ref("Thing")}, schemas={"Thing": THING}), ADDED, "compat.things.try_it(body=[m.Thing(name='a')])", POSTED + ' [{"name": "a"}]'),
    Row("an inline object", sends(object_of(Inner=object_of(Deep=object_of(x=text())))), ADDED, "compat.things.try_it(Inner=m.TryItBodyInner(deep=m.TryItBodyInnerDeep(x='a')))", POSTED + ' {"Inner": {"Deep": {"x": "a"}}}'),
    Row("an optional body", adds(method="post", requestBody=body(ref("Thing"), required=False), schemas={"Thing": THING}), ADDED, "compat.things.try_it()\ncompat.things.try_it(body=m.Thing(name='a'))", POSTED + f'\n{POSTED} {{"name": "a"}}'),
    Row("several content types of a body", adds(method="post", schemas=PETS, requestBody={"description": "A pet.", "required": True, "content": {JSON: {"schema": ref("Cat")}, FORM: {"schema": ref("Dog")}}}), ADDED, "compat.things.try_it(body=m.Cat(purrs=True))\ncompat.things.try_it(body=m.Dog(barks=True))", POSTED + ' {"purrs": true}\n' + POSTED + " barks=true"),
    Row("bytes", sends(FILE, BYTES), ADDED, "compat.things.try_it(body=File(payload=b'a=b'))\n" + no_file("body=b'a'"), POSTED + " a=b", "content-type: application/octet-stream"),
    Row("an optional file", adds(method="post", requestBody=body(FILE, BYTES, required=False)), ADDED, "compat.things.try_it()\ncompat.things.try_it(body=File(payload=io.BytesIO(b'a')))", f"{POSTED}\n{POSTED} a"),
    Row("a form with files", sends(object_of("image", image=FILE, more={"type": "array", "items": FILE}, name=text(), sizes={"type": "array", "items": {"type": "integer"}}, day=text(format="date"), thing=ref("Thing")), MULTIPART, schemas={"Thing": THING}), ADDED, "compat.things.try_it(image=File(payload=b'a', file_name='a.png'), more=[File(payload=b'b', mime_type='text/csv')], name='ü', sizes=[1, 2], day=datetime.date(2026, 1, 31), thing=m.Thing(name='c'))", f"{POSTED} {parted('image', 'a', 'a.png', 'image/png')}{parted('more', 'b', 'upload', 'text/csv')}{parted('name', 'ü')}{parted('sizes', 1)}{parted('sizes', 2)}{parted('day', '2026-01-31')}" + parted("thing", '{"name": "c"}', kind=JSON) + "----|"),
    Row("a multipart form without its optional parts", sends(object_of(name=text(), image=FILE), MULTIPART), ADDED, "compat.things.try_it()\ncompat.things.try_it(name='a')\n" + no_file("image='a'"), f"{POSTED} ----|\n{POSTED} {parted('name', 'a')}----|"),
    Row("a form with files or JSON", adds(method="post", schemas={"Cat": CAT, "Photo": object_of("image", image=FILE)}, requestBody={"description": "A pet.", "required": True, "content": {JSON: {"schema": ref("Cat")}, MULTIPART: {"schema": ref("Photo")}, BYTES: {"schema": FILE}}}), ADDED, "compat.things.try_it(body=m.Cat(purrs=True))\ncompat.things.try_it(body=m.Photo(image=File(payload='a')))\ncompat.things.try_it(body=File(payload='b'))", f'{POSTED} {{"purrs": true}}\n{POSTED} {parted("image", "a", "upload", BYTES)}----|\n{POSTED} b'),
    Row("a vendor JSON type", adds(method="patch", requestBody=body(THING, "application/merge-patch+json")), ADDED, "compat.things.try_it(name='a')", 'PATCH /things {"name": "a"}', "content-type: application/merge-patch+json"),
    Row("a content type with a parameter", sends(THING, "application/json; charset=utf-8"), ADDED, "compat.things.try_it(name='a')", POSTED + ' {"name": "a"}', "content-type: application/json; charset=utf-8"),
    Row("a constant", sends(object_of("Kind", Kind={"const": "thing", "description": "Always this."})), ADDED, "compat.things.try_it(Kind='thing')", POSTED + ' {"Kind": "thing"}'),
    Row("a constant number in a form", sends(object_of("Size", Size={"const": 5, "description": "In mm."}), FORM), ADDED, "compat.things.try_it(Size=5)", POSTED + " Size=5"),
    Row("integers as allowed values", sends(object_of(Size={"type": "integer", "enum": [1, 2], "description": "In mm."})), ADDED, "compat.things.try_it(Size=2)", POSTED + ' {"Size": 2}'),
    Row("an object with any members", sends(object_of(Labels={"type": "object", "description": "Labels.", "additionalProperties": TEXT})), ADDED, "labels = m.TryItBodyLabels()\nlabels.additional_properties['a'] = 'b'\ncompat.things.try_it(Labels=labels)", POSTED + ' {"Labels": {"a": "b"}}'),
    Row("allowed values with null among them", sends(object_of(Size={"type": ["string", "null"], "enum": ["a", "b", None], "description": "In mm."})), ADDED, "compat.things.try_it(Size='a')\ncompat.things.try_it(Size=None)", POSTED + ' {"Size": "a"}\n' + POSTED + ' {"Size": null}'),
    Row("a multiple of a decimal", sends(object_of(Price={"type": "number", "multipleOf": 0.01, "description": "In USD."})), ADDED, "compat.things.try_it(Price=19.99)", POSTED + ' {"Price": 19.99}'),
    Row("names that are Python keywords", sends(object_of(**dict.fromkeys(("class", "from", "None", "import"), TEXT))), ADDED, "compat.things.try_it(class_='a', from_='b', None_='c')", POSTED + ' {"class": "a", "from": "b", "None": "c"}'),
    Row("names that are built-ins", sends(object_of(**dict.fromkeys(("list", "type", "id", "str", "dict", "print"), TEXT))), ADDED, "compat.things.try_it(list_='a', type_='b', id='c', dict_='d')", POSTED + ' {"list": "a", "type": "b", "id": "c", "dict": "d"}'),
    Row("names with punctuation and digits", sends(object_of(**{"a-b": TEXT, "c.d": TEXT, "1st": TEXT, "@x": TEXT})), ADDED, "compat.things.try_it(ab='a', cd='b', field_1st='c', x='d')", POSTED + ' {"a-b": "a", "c.d": "b", "1st": "c", "@x": "d"}'),
    Row("members that differ only in case", sends(object_of(size=TEXT, Size=TEXT)), ADDED, "compat.things.try_it(size='a', Size='b')", POSTED + ' {"size": "a", "Size": "b"}'),
    Row("a member named like its schema", sends(ref("Thing"), schemas={"Thing": object_of(Thing=TEXT)}), ADDED, "compat.things.try_it(Thing='a')", POSTED + ' {"Thing": "a"}'),
    Row("a default that the server applies", takes("Limit", schema={"type": "integer", "default": 50}), ADDED, "compat.things.try_it()\ncompat.things.try_it(Limit=3)", f"{GOT}\n{GOT}?Limit=3"),
    Row("unnamed members", sends({"type": "object", "description": "Sizes.", "additionalProperties": {"type": "integer"}}), ADDED, "sizes = m.TryItBody()\nsizes.additional_properties['a'] = 3\ncompat.things.try_it(body=sizes)", POSTED + ' {"a": 3}'),
    Row("keywords beside a reference", sends(object_of(Code={**ref("Word"), "maxLength": 2, "description": "Two letters."}), schemas={"Word": text(minLength=1)}), ADDED, "compat.things.try_it(Code='ab')\n" + not_sent("Code='abc'", "1 to 2 characters"), POSTED + ' {"Code": "ab"}'),
    Row("a recursive choice of schemas", sends(object_of(Sum=ref("Sum")), schemas={"Sum": {"oneOf": [ref("Number"), ref("Plus")], "description": "Either."}, "Number": object_of("n", n={"type": "integer", "description": "It."}), "Plus": object_of("left right", left=ref("Sum"), right=ref("Sum"))}), ADDED, "compat.things.try_it(Sum=m.Plus(left=m.Number(n=1), right=m.Plus(left=m.Number(n=2), right=m.Number(n=3))))", POSTED + ' {"Sum": {"left": {"n": 1}, "right": {"left": {"n": 2}, "right": {"n": 3}}}}'),
    Row("very long names", sends(object_of(**{LONG: TEXT}), operationId=LONG), ADDED, f"compat.things.{LONG}({LONG}='a')", POSTED + f' {{"{LONG}": "a"}}'),
]  # fmt: skip

REPLIES = [
    Row("a reply without content", adds(), ADDED, NONE, GOT),
    Row("several successes", adds(schemas=PETS, responses={"200": reply(ref("Cat"), {"purrs": True}), "201": reply(ref("Dog"))}), ADDED, "it = compat.things.try_it()\nassert_type(it, m.Cat | m.Dog)\nassert isinstance(it, m.Cat)", GOT),
    Row("a success of any status", adds(responses={"2XX": reply(THING, {"name": "a"})}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT),
    Row("errors of any status", adds(responses={"200": reply(THING, {"name": "a"}), "4XX": reply(ref("Error")), "default": reply(ref("Error"))}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT),
    Row("several content types of a reply", adds(responses={"200": {"description": "A thing.", "content": {JSON: {"schema": THING, "example": {"name": "a"}}, "text/csv": {"schema": TEXT}}}}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT),
    Row("a reply that is text", adds(responses={"200": reply(TEXT, "a,b", "text/csv")}), ADDED, "it = compat.things.try_it()\nassert it == 'a,b'", GOT),
    Row("a reply that is text, errors too", adds(responses={"200": reply(text(), "a", "text/plain; charset=utf-8"), "400": reply(text(), kind="text/plain")}), ADDED, "it = compat.things.try_it()\nassert it == 'a'", GOT, "accept: text/plain, application/json"),
    Row("a reply that is text or JSON", adds(responses={"200": {"description": "A thing.", "content": {"text/csv": {"schema": TEXT}, "application/xml": {"schema": THING}, JSON: {"schema": THING, "example": {"name": "a"}}}}}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/json"),
    Row("a reply that is bytes", adds(responses={"200": reply(FILE, "a", BYTES)}), ADDED, "it = compat.things.try_it()\nassert_type(it, bytes)\nassert it == b'a'", GOT, "accept: application/octet-stream, application/json"),
    Row("a reply of a vendor JSON type", adds(responses={"200": reply(THING, {"name": "a"}, "application/hal+json")}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/hal+json, application/json"),
    Row("errors as RFC 9457 defines them", adds(responses={"201": reply(THING, {"name": "a"}), "default": reply(PROBLEM, kind="application/problem+json")}), ADDED, "it = compat.things.try_it()\nassert it.name == 'a'", GOT, "accept: application/json, application/problem+json"),
    Row("a reply whose content is empty", adds(responses={"200": {"description": "It is done.", "content": {}}}), ADDED, NONE, GOT),
    Row("a reply that is a list", replies({"type": "array", "items": ref("Thing")}, [{"name": "a"}], schemas={"Thing": THING}), ADDED, "it = compat.things.try_it()\nassert it[0].name == 'a'", GOT),
    Row("a reply that is a number", replies({"type": "integer"}, 7), ADDED, "it = compat.things.try_it()\nassert it == 7", GOT),
    Row("pages of things", replies(object_of("things page", things={"type": "array", "items": ref("Thing")}, page={"type": "integer", "description": "From 0."}, next_page_uri={"type": ["string", "null"], "description": "The next page."}), {"things": [{"name": "a"}], "page": 0, "next_page_uri": None}, schemas={"Thing": THING}, parameters=[parameter("Page", schema={"type": "integer"}), parameter("PageSize", schema={"type": "integer"})]), ADDED, "it = compat.things.try_it(Page=0, PageSize=50)\nassert it.things[0].name == 'a' and it.next_page_uri is None", GOT + "?Page=0&PageSize=50"),
    Row("pages that are walked", adds(responses={"200": reply(object_of("things", things=list_of(ref("Thing")), next={"type": ["string", "null"], "description": "The next page."}), {"things": [{"name": "a"}], "next": None})}, schemas={"Thing": THING}, **PAGES), ADDED, "it = compat.things.try_it()\nassert [thing.name for thing in it.things] == ['a'] and it.next_ is None\nassert callable(it.next_page)", GOT),
    Row("allOf", replies({"allOf": [ref("Thing"), object_of("kind", kind=text())]}, {"name": "a", "kind": "b"}, schemas={"Thing": THING}), ADDED, "it = compat.things.try_it()\nassert (it.name, it.kind) == ('a', 'b')", GOT),
    Row("allOf of one, or null", replies(object_of("thing", thing={"oneOf": [{"allOf": [ref("Thing")]}, {"type": "null"}], "description": "One."}), {"thing": None}, schemas={"Thing": THING}), ADDED, "it = compat.things.try_it()\nassert it.thing is None", GOT),
    Row("oneOf", replies(object_of("pet", pet={"oneOf": [ref("Cat"), ref("Dog")], "description": "One."}), {"pet": {"barks": True}}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert isinstance(it.pet, m.Dog) and it.pet.barks", GOT),
    Row("oneOf with null", replies(object_of("pet", pet={"oneOf": [ref("Cat"), ref("Dog"), {"type": "null"}], "description": "One."}), {"pet": None}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert it.pet is None", GOT),
    Row("anyOf", replies({"anyOf": [ref("Cat"), ref("Dog")]}, {"barks": True}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert_type(it, m.Cat | m.Dog)\nassert isinstance(it, m.Dog)", GOT),
    Row("anyOf with null", replies(object_of("size", size={"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}], "description": "In mm."}), {"size": "3"}), ADDED, "it = compat.things.try_it()\nassert it.size == '3'", GOT),
    Row("a list of a choice", replies(object_of("pets", pets={"type": "array", "items": {"oneOf": [ref("Cat"), ref("Dog")]}}), {"pets": [{"barks": True}, {"purrs": True}]}, schemas=PETS), ADDED, "it = compat.things.try_it()\nassert isinstance(it.pets[0], m.Dog) and isinstance(it.pets[1], m.Cat)", GOT),
    Row("a recursive schema", replies(ref("Tree"), {"name": "a", "twigs": [{"name": "b"}], "root": {"name": "c"}, "named": {"x": {"name": "d"}}}, method="post", requestBody=body(ref("Tree")), schemas=TREES), ADDED, "it = compat.things.try_it(name='a', root=m.Tree(name='b', next_=None, branch=m.Branch(tree=m.Tree(name='c'))))\nassert it.twigs and it.twigs[0].name == 'b' and it.root and it.root.name == 'c'\nassert it.named and it.named.additional_properties['x'].name == 'd'", POSTED + ' {"name": "a", "root": {"name": "b", "next": null, "branch": {"tree": {"name": "c"}}}}'),
    Row("a date and a time", replies(object_of("day at", day=text(format="date"), at=text(format="date-time")), {"day": "2026-01-31", "at": "2026-01-31T12:00:00Z"}), ADDED, "it = compat.things.try_it()\nassert it.day == datetime.date(2026, 1, 31)\nassert it.at.tzinfo is not None\nassert it.to_dict() == {'day': '2026-01-31', 'at': '2026-01-31T12:00:00Z'}", GOT),
    Row("times that Python writes differently", replies(object_of("at", at=text(format="date-time"), to=text(format="date-time")), {"at": "2026-01-31T12:00:00.120Z", "to": "2026-01-31T12:00:00.123456789+00:00"}), ADDED, "it = compat.things.try_it()\nassert it.at == datetime.datetime(2026, 1, 31, 12, 0, 0, 120000, datetime.UTC)\nassert it.to_dict() == {'at': '2026-01-31T12:00:00.120Z', 'to': '2026-01-31T12:00:00.123456789+00:00'}", GOT),
    Row("a time that Python can't represent", replies(object_of("at", at=text(format="date-time")), {"at": "1990-12-31T23:59:60Z"}), ADDED, "it = compat.things.try_it()\nassert it.at == datetime.datetime(1990, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)\nassert it.to_dict() == {'at': '1990-12-31T23:59:60Z'}", GOT),
    Row("a time in small letters", replies(object_of("at", at=text(format="date-time")), {"at": "2026-01-31t12:00:00.5z"}), ADDED, "it = compat.things.try_it()\nassert it.at == datetime.datetime(2026, 1, 31, 12, 0, 0, 500000, datetime.UTC)\nassert it.to_dict() == {'at': '2026-01-31t12:00:00.5z'}", GOT),
    Row("limits beyond 2^53", sends(object_of(N={"type": "integer", "maximum": 2**53 + 1, "exclusiveMinimum": 2, "description": "Large."})), ADDED, not_sent(f"N={2**53 + 2}", f"at most {2**53 + 1}, above 2, got") + "\n" + not_sent("N=2", "above 2, got int 2") + f"\ncompat.things.try_it(N={2**53 + 1})", f'{POSTED} {{"N": {2**53 + 1}}}'),
    Row("integers beyond 2^53", adds(parameters=[parameter("Id", schema={"type": "integer", "format": "int64"})], responses={"200": reply(object_of("id", id={"type": "integer", "description": "Large."}), {"id": BIG})}), ADDED, f"it = compat.things.try_it(Id={BIG})\nassert it.id == {BIG}", f"{GOT}?Id={BIG}"),
]  # fmt: skip

ADDITIONS = [*VARIANTS, *METHODS, *PARAMETERS, *ARGUMENTS, *BODIES, *REPLIES]
