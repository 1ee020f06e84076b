"""Edits that the client can't express: `make generate` refuses them and says where and why."""

from __future__ import annotations

from typing import Any

from tests.edits.additions import CAT, DIGEST, PAGES, THING, silent
from tests.edits.helpers import *

THINGS = "paths./things."
PLACE = f"{THINGS}get.parameters[0]"
BODY = f"{THINGS}post.requestBody.content"


def encoded(kind: str, schema: Document, **encoding: Any) -> Edit:
    """Make an edit that adds a form whose members have an encoding."""
    content = {"schema": object_of(**dict.fromkeys(encoding, schema)), "encoding": encoding}
    return adds(method="post", requestBody={**body({}), "content": {kind: content}})


def paged(method: str = "get", schemas: Document | None = None, **pages: object) -> Edit:
    """Make an edit that adds an operation with pages of things."""
    page = object_of(things=list_of(ref("Thing")), next=text(), count={"type": "integer", "description": "All."})  # fmt: skip
    parts: Document = {"x-pages": pages, "schemas": {"Thing": THING, **(schemas or {})}}
    return adds(method=method, responses={"200": reply(page)}, **parts)


def in_components(document: Document) -> None:
    document["components"]["pathItems"] = {"Things": {"get": operation()}}
    document["paths"]["/things"] = {"$ref": "#/components/pathItems/Things"}


REFUSED = [
    Refusal("an account in the query", adds(parameters=[{**ACCOUNT, "in": "query", "required": False}]), (f"{PLACE}.x-client-default", "one parameter of a path")),
    Refusal("a path parameter with another default", adds("/things/{Id}", parameters=[{**parameter("Id", "path"), "x-client-default": "token"}]), ("parameters[0].x-client-default", "`account`")),
    Refusal("an account without HTTP Basic", change("components securitySchemes ProjectToken", scheme="bearer"), ("components.parameters.AccountSid.x-client-default", "the user name of HTTP Basic")),
    Refusal("a parameter with content", takes("Filter", content={JSON: {"schema": THING}}), (PLACE, '"Filter"', "give it a schema")),
    Refusal("content by reference", adds(responses={"200": {"description": "It.", "content": {"$ref": "#/components/mediaTypes/Thing"}}}), (f"{THINGS}get.responses.200.content.$ref", "refers to content, which OpenAPI 3.1 does not know")),
    Refusal("operations in components", in_components, (f"{THINGS}$ref", "write them here")),
    Refusal("a quote in a path", adds('/it"s'), ("paths./it", "%22")),
    Refusal("a form with another encoding", encoded(FORM, {"type": "array", "items": TEXT}, Tag={"explode": False}), (f"{THINGS}post.requestBody.content", "Tag.explode")),
    Refusal("a list as a deep object", takes("Filter", schema=list_of(TEXT), style="deepObject"), (f"{PLACE}.style", '"Filter"', "deepObject")),
    Refusal("a list in a deep object", takes("Filter", schema=object_of(Tag=list_of(TEXT)), style="deepObject"), (f"{PLACE}.schema.properties.Tag", '"Tag", a list')),
    Refusal("an exploded object with bars", takes("Filter", schema=THING, style="pipeDelimited", explode=True), (f"{PLACE}.style", '"Filter"', "pipeDelimited")),
    Refusal("a list in an object in a path", adds("/things/{Id}", parameters=[parameter("Id", "path", object_of(Tag=TEXT, Tags=list_of(TEXT)))]), ("parameters[0].schema.properties.Tags", '"Id"', "a list, which no path")),
    Refusal("objects by name in a header", takes("X-It", "header", {"type": "object", "additionalProperties": THING}), (f"{PLACE}.schema.additionalProperties", "an object, which no header")),
    Refusal("any members in a cookie", takes("It", "cookie", {"type": "object", "additionalProperties": TEXT}), (PLACE, "named members")),
    Refusal("only credentials that the client lacks", both(change("components securitySchemes", Key=DIGEST), adds(security=[{"Key": []}])), (f"{THINGS}get.security[0].Key", '"Key" is not HTTP Basic')),
    Refusal("such credentials of the whole contract", both(change("components securitySchemes", Key=DIGEST), silent("security"), lambda d: d.update(security=[{"Key": []}])), ('"Key" is not HTTP Basic',)),
    Refusal("reserved characters", takes("Filter", allowReserved=True), (f"{PLACE}.allowReserved", '"Filter"')),
    Refusal("objects listed in the query", takes("Things", schema={"type": "array", "items": THING}), (PLACE, '"Things"')),
    Refusal("a body of an unknown type", sends(TEXT, "application/xml"), (f"{BODY}.application/xml", "try_it", "write application/json")),
    Refusal("a body of text", sends(TEXT, "text/plain"), (f"{BODY}.text/plain", "try_it", "write application/json")),
    Refusal("a body of no content type", adds(method="post", requestBody={"content": {}}), (BODY, "try_it", "name one")),
    Refusal("bytes that are an object", sends(THING, BYTES), (f"{BODY}.{BYTES}.schema", "try_it", "binary")),
    Refusal("a form that is text", sends(TEXT, MULTIPART), (f"{BODY}.{MULTIPART}.schema", "try_it", "type object")),
    Refusal("a file in JSON", sends(object_of(File=FILE)), (f"{BODY}.{JSON}.schema.properties.File", "try_it", "multipart")),
    Refusal("a file deep in a form", sends(object_of(thing=ref("Holder")), MULTIPART, schemas={"Holder": object_of(file=FILE)}), ("components.schemas.Holder.properties.file", "try_it", "multipart")),
    Refusal("null in a form", change("fields", Area=text(type=["string", "null"])), ("PurchaseRequest.properties.Area", "no form holds", "optional")),
    Refusal("null in a list of a form", sends(object_of(Tag={"type": "array", "items": {"type": ["string", "null"]}}), MULTIPART), (f"{BODY}.{MULTIPART}.schema.properties.Tag.items", "no form holds")),
    Refusal("null in a query", takes("Limit", required=True, schema={"type": ["integer", "null"], "description": "How many."}), ("parameters[0].schema", "Limit", "no query can hold")),
    Refusal("a list of lists in a form", sends(object_of(rows={"type": "array", "items": {"type": "array", "items": TEXT}}), FORM), (f"{BODY}.{FORM}.schema.properties.rows", "try_it", "JSON")),
    Refusal("a part with a content type", encoded(MULTIPART, FILE, image={"contentType": "image/png"}), (f"{BODY}", "image.contentType", "remove it")),
    Refusal("a form of anything", sends({"description": "Anything."}, MULTIPART), (f"{BODY}.{MULTIPART}.schema", "try_it", "type object")),
    Refusal("a file in the query", takes("File", schema=FILE), (f"{PLACE}.schema", '"File"', "body")),
    Refusal("a reply of an unknown type", adds(responses={"200": reply(TEXT, kind="application/xml")}), (f"{THINGS}get.responses.200.content", "try_it", "application/xml", "JSON")),
    Refusal("a reply of text that is an object", adds(responses={"200": reply(THING, kind="text/csv")}), (f"{THINGS}get.responses.200.content.text/csv.schema", "try_it", "type string")),
    Refusal("a reply of JSON with a file", replies(object_of(File=FILE), None), (f"{THINGS}get.responses.200.content.{JSON}.schema.properties.File", "try_it", "text")),
    Refusal("two types of allowed values", adds(schemas={"Mixed": {"enum": ["a", 1], "description": "Either."}}), ("components.schemas.Mixed", "Mixed")),
    Refusal("an unsupported keyword", change("fields", Area={"type": "object", "description": "One.", "patternProperties": {"^a": TEXT}}), ("PurchaseRequest.properties.Area.patternProperties", '"patternProperties"')),
    Refusal("a name that no file can have", adds(operationId="a" * 300), (f"{THINGS}get.operationId", "too long")),
    Refusal("inline objects with a name too long for a file", sends(object_of(**{"p" * 150: object_of(**{"q" * 150: THING})})), ("components", "too long for a file")),
    Refusal("two schemas with one module", adds(schemas={"HTTPThing": THING, "HttpThing": CAT}), ("components.schemas.Http", "http_thing.py")),
    Refusal("two fields with one name in Python", sends(object_of(**{"a-b": TEXT, "a.b": TEXT})), ("schema.properties.a.b", "a-b")),
    Refusal("a member with a name of every model", change("fields", to_dict=text()), ("components.schemas.PurchaseRequest", "to_dict")),
    Refusal("a schema that refers only to itself", adds(schemas={"Loop": {"allOf": [ref("Ring")], "description": "A."}, "Ring": {"allOf": [ref("Loop")], "description": "B."}}), ("components.schemas.Loop.allOf[0].$ref", "schemas/Ring", "itself")),
    Refusal("a list that holds only itself", sends(ref("Nest"), schemas={"Nest": {"type": "array", "items": ref("Nest"), "description": "Lists."}}), ("components.schemas.Nest.items.$ref", "itself")),
    Refusal("items that are false", sends(object_of(No={"type": "array", "items": False, "description": "None."})), ("schema.properties.No.items", "false")),
    Refusal("a tag without a letter", adds(tags=["1st"]), (f"{THINGS}get.tags[0]", '"1st"')),
    Refusal("a tag that no folder can have", adds(tags=["t" * 300]), (f"{THINGS}get.tags[0]", "too long")),
    Refusal("a tag with a name of every module", adds(tags=["annotations"]), (f"{THINGS}get.tags[0]", '"annotations"')),
    Refusal("an operation with a name of its module", adds(operationId="annotations"), (f"{THINGS}get.operationId", '"annotations"')),
    Refusal("a member with the name of the property of a time", change("members", date_created_datetime=text()), ("components.schemas.IncomingPhoneNumber", "date_created_datetime")),
    Refusal("a reference into a schema", sends(object_of(Url={"$ref": "#/components/schemas/PurchaseRequest/properties/SmsUrl"})), ("schema.properties.Url.$ref", "components")),
    Refusal("allOf of a string", sends(object_of(V={"allOf": [ref("Word"), {"maxLength": 2}], "description": "V."}), schemas={"Word": text()}), ("schema.properties.V.allOf", "string", "beside the $ref")),
    Refusal("allowed values that are fractions", change("fields", Area={"type": "number", "enum": [1.5, 2.5], "description": "One."}), ("PurchaseRequest.properties.Area.enum", "whole numbers")),
    Refusal("a constant that is an object", change("fields", Area={"const": {"a": 1}, "description": "One."}), ("PurchaseRequest.properties.Area.const",)),
    Refusal("no allowed values", change("fields", Area={"enum": [], "description": "None."}), ("PurchaseRequest.properties.Area.enum", "less than 1 item")),
    Refusal("a dot in the name of a path parameter", adds("/things/{a.b}", parameters=[parameter("a.b", "path")]), ("parameters[0].name", '"a.b"')),
    Refusal("two paths that are one", both(adds("/things/{a}", parameters=[parameter("a", "path")]), adds("/things/{b}", operationId="b", parameters=[parameter("b", "path")])), ("paths./things/{b}", "/things/{a}")),
    Refusal("a header that the client writes itself", takes("Cookie", "header"), (f"{PLACE}.name", '"Cookie"')),
    Refusal("a header with a space", takes("X Tag", "header"), (f"{PLACE}.name", '"X Tag"')),
    Refusal("a cookie with a semicolon", takes("a;b", "cookie"), (f"{PLACE}.name", '"a;b"')),
    Refusal("one header in two cases", adds(parameters=[parameter("X-Tag", "header"), parameter("x-tag", "header")]), (f"{THINGS}get.parameters[1]", '"X-Tag"')),
    Refusal("an object in an object in the query", takes("Filter", schema=object_of(Inner=THING)), (f"{PLACE}.schema.properties.Inner", "flatten")),
    Refusal("any members in the query", takes("Filter", schema={"type": "object", "additionalProperties": TEXT}), (PLACE, "named members")),
    Refusal("one name in the query twice", adds(parameters=[parameter("name"), parameter("Filter", schema=THING)]), (f"{THINGS}get.parameters[1]", '"Filter" writes name')),
    Refusal("pages without their items", paged(next="next"), (f"{THINGS}get.x-pages", "items and next", "write {items: ")),
    Refusal("pages with a key too many", paged(items="things", next="next", last="count"), (f"{THINGS}get.x-pages", "no others")),
    Refusal("pages of no such member", paged(items="thing", next="next"), (f"{THINGS}get.x-pages.items", 'the reply 200 has no member "thing"', 'the nearest is "things"')),
    Refusal("pages without a way to the next", paged(items="things", next="uri"), (f"{THINGS}get.x-pages.next", 'no member "uri"', "the nearest is")),
    Refusal("pages whose items are not a list", paged(items="count", next="next"), (f"{THINGS}get.x-pages.items", '"count" is not a list', "name the list")),
    Refusal("pages whose next is a number", paged(items="things", next="count"), (f"{THINGS}get.x-pages.next", '"count" is not text', "name the member")),
    Refusal("pages of a POST", paged("post", items="things", next="next"), (f"{THINGS}post.x-pages", "only by GET", "remove it")),
    Refusal("pages of two successes", both(paged(items="things", next="next"), lambda d: find(d, "paths /things get responses").update({"202": reply()})), (f"{THINGS}get.x-pages", "200 and 202", "keep one")),
    Refusal("pages of a reply without JSON", adds(**PAGES), (f"{THINGS}get.x-pages.items", 'the reply 204 has no member "things"', "name a member")),
    Refusal("a schema with the name of a page", paged(schemas={"AsyncTryItPage": THING}, items="things", next="next"), ("components.schemas.AsyncTryItPage", "a name that the package uses")),
    Refusal("a schema with the name of options", adds(schemas={"TryItOptions": THING}), ("components.schemas.TryItOptions", "a name that the package uses")),
    Refusal("a pattern that is none", change("fields", Area=text(pattern=r"\\p{L}")), ("PurchaseRequest", r"\\p{L}")),
]  # fmt: skip
