"""Operations that are added to the document are served without code."""

from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.mock.helpers import BASE, Serve, add_operations, refused

CALLS = f"{BASE}/Accounts/{PROJECT}/Calls.json"
TRACED = {"x-trace": "7"}


def test_an_operation_that_was_added_to_the_spec_is_served_without_code(serve: Serve) -> None:
    send = serve(add_operations)
    calls = send("GET", f"{CALLS}?Ids=1&Ids=2&Sizes=3,4", headers=TRACED)
    call = {"sid": "00000000-0000-4000-8000-000000000000", "at": "2024-01-31T12:00:00Z"}
    assert calls.json() == [{**call, "status": "completed", "price": 0.5}] * 2
    noted = send(path=f"{BASE}/Notes", auth=None, json={"size": -(2**63), "text": "\0 ü"})
    # The example has another length: `x-reply-repeats` makes it that of the request.
    assert (noted.status_code, noted.json()) == (202, {"created": True, "length": -(2**63)})
    gone = send("DELETE", f"{BASE}/Notes/12", auth=None)
    assert (gone.status_code, gone.content, gone.headers["x-left"]) == (204, b"", "0")
    assert "content-type" not in gone.headers
    text = send("GET", f"{BASE}/Notes/12", auth=None)
    assert (text.text, text.headers["content-type"]) == ("textxx", "text/plain")
    found = send("HEAD", f"{BASE}/Notes/12", auth=None)
    assert (found.status_code, send.mock.journal[-1].reply_body) == (200, b"")
    assert send(path=f"{BASE}/Forms", auth=None, data={"Size": "3"}).status_code == 204
    ids = [exchange.operation_id for exchange in send.mock.journal]
    calls_id = "GET /Accounts/{AccountSid}/Calls.json"
    assert ids == [calls_id, "create_note", "delete_note", "read_note", "find_note", "send_form"]
    send.bought()


def test_a_list_of_something_else_is_no_list_of_numbers(serve: Serve) -> None:
    def rename(spec: dict[str, Any]) -> None:
        add_operations(spec)
        spec["paths"]["/Accounts/{AccountSid}/IncomingPhoneNumbers"]["get"]["operationId"] = "all"
        spec["paths"]["/Notes/{Number}"]["get"]["operationId"] = "list"

    send = serve(rename)
    assert send("GET", f"{BASE}/Notes/12", auth=None).text == "textxx"
    assert {"all", "list", "create_note"} <= {*send.mock.sample_operations}
    assert "purchase" not in send.mock.sample_operations


def multipart(*parts: bytes, end: bytes = b"--") -> dict[str, Any]:
    encoded = b"".join(b"--x\r\nContent-Disposition: form-data; " + p + b"\r\n" for p in parts)
    headers = {"content-type": "Multipart/Form-Data; boundary=x"}
    return {"headers": headers, "content": encoded + b"--x" + end + b"\r\n"}


def typed(kind: str, body: bytes) -> dict[str, Any]:
    return {"headers": {"content-type": kind}, "content": body}


FILE = b'name="file"; filename="a"\r\nContent-Type: image/png\r\n\r\n\xff\r\n\0'


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (multipart(FILE), None),
        (multipart(FILE, b'name="sizes"\r\n\r\n1', b'name="sizes"\r\n\r\n2'), None),
        (multipart(FILE, b'name="note"\r\n\r\n{"text": 1}', b'name="a%22b"\r\n\r\n'), None),
        (multipart(), "file is required and missing"),
        (multipart(FILE, FILE), "file is given 2 times"),
        (multipart(FILE + b"x"), "file"),
        (multipart(FILE, b'name="more"\r\n\r\n'), 'field "more" is not known'),
        (multipart(FILE, b'name="sizes"\r\n\r\nx'), "sizes/0"),
        (multipart(FILE, b'name="note"\r\n\r\n{"text": '), "note"),
        (multipart(FILE, b'name="a%22b"\r\n\r\n\xff'), "not UTF-8"),
        (multipart(FILE, end=b""), "last boundary is missing"),
        (multipart(b'filename="a"\r\n\r\n'), "is not multipart/form-data"),
        (typed("multipart/form-data", b""), "without a boundary"),
        (typed("application/octet-stream", b"\xff\0\r\n"), None),
        (typed("application/octet-stream", b"12345"), "longer than 4"),
        (typed("text/plain", "üü".encode()), None),
        (typed("text/plain; charset=latin-1", b"\xfc"), "not declared as UTF-8"),
        (typed("text/plain", b"\xfc"), "not UTF-8"),
        (typed("application/merge-patch+json", b'{"text": null}'), None),
        (typed("application/merge-patch+json", b"{}"), "text is required and missing"),
        (typed("application/merge-patch+json", b"{"), "not JSON"),
    ],
)
def test_a_body_of_any_content_type_is_held_to_its_schema(
    serve: Serve, request_: dict[str, Any], words: str | None
) -> None:
    send = serve(add_operations)
    reply = send(path=f"{BASE}/Uploads", auth=None, **request_)
    (exchange,) = send.mock.journal
    assert reply.status_code == (400 if words else 204), exchange.refusal
    assert (words or "") in (exchange.refusal or "")


def test_an_error_of_another_shape_is_the_message_or_a_sample(serve: Serve) -> None:
    def secure(spec: dict[str, Any]) -> None:
        add_operations(spec)
        spec["paths"]["/Uploads"]["post"]["security"] = [{"ProjectToken": []}]

    send = serve(secure)
    wrong = send(path=f"{BASE}/Uploads", json={})
    assert wrong.headers["content-type"] == "application/problem+json"
    assert (wrong.status_code, wrong.json()) == (400, {"size": 0})
    assert "content type" in str(send.mock.journal[0].refusal)
    unknown = send(path=f"{BASE}/Uploads", auth=None)
    assert (unknown.status_code, unknown.headers["content-type"]) == (401, "text/plain")
    assert "credentials are missing" in unknown.text


def test_the_parameters_of_an_added_operation_are_checked_by_type(serve: Serve) -> None:
    send = serve(add_operations)
    valid = "Limit=-2147483648 Rate=1e3&Muted=true Before=2024-01-31T12:00:00Z Ids=1"
    for query in valid.split():
        assert send("GET", f"{CALLS}?{query}", headers=TRACED).status_code == 200, query
    invalid = "Limit=2147483648 Limit=1.5 Limit= Limit=٣ Limit=1_0 Limit=1&Limit=2 Limit=1.0 "
    invalid += (
        "Rate=NaN Rate=1e999 Rate=0x1 Muted=True Muted=1 Before=today Ids=1&Ids=x Limit="
        + "9" * 5000
    )
    for query in invalid.split():
        reply = send("GET", f"{CALLS}?{query}", headers=TRACED)
        assert query.partition("=")[0] in refused(reply, 400, 10000)
    assert "X-Trace is required" in refused(send("GET", CALLS), 400, 10000)
    assert 'X-Trace "8"' in refused(send("GET", CALLS, headers={"x-trace": "8"}), 400, 10000)
    refused(send("GET", CALLS, auth=None, headers=TRACED), 401, 20003)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"size": 1}\0', "not JSON"),
        (b'\xef\xbb\xbf{"size": 1}', "not JSON"),
        (b'{"size": 1, "size": 1}', "names a member twice"),
        (b'{"size": NaN}', "not finite"),
        (b'{"size": -Infinity}', "not finite"),
        (b'{"size": 1e999}', "not finite"),
        (b'{"size": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"size": 9223372036854775808}', "size 9223372036854775808"),
        (b'{"size": ' + b"9" * 4000 + b"}", "size 999"),
        (b'{"size": "1"}', 'size "1" is not of type "integer"'),
        (b'{"size": 1, "text": "\xff"}', "not UTF-8"),
        (b'{"size": 1, "text": "\\ud800"}', "lone surrogate"),
        (b'{"size": 1, "text": "\0"}', "not JSON"),
        (b'{"size": 1, "txt": ""}', "nearest known name is text"),
        (b"[" * 2000 + b"]" * 2000, "levels deep"),
        (b"[" * 2**19 + b"]" * 2**19, "levels deep"),
        (b'{"size": 1, "tree": ' + b"[" * 100 + b"]" * 100 + b"}", "levels deep"),
        (b'{"size": 1, "either": {"n": "x"}}', 'either/n "x" is not of type "integer"'),
        (b'{"size": 1, "either": {}}', 'either an object: "n" is a required property'),
        (b'{"size": 1, "either": "x"}', 'either "x" is not valid under any of the schemas'),
        (b"{}", "size is required and missing"),
        (b"[]", "The body an array"),
        (b"null", "The body null"),
    ],
)
def test_a_json_body_that_breaks_its_rules_is_refused(
    serve: Serve, body: bytes, words: str
) -> None:
    headers = {"content-type": "application/json"}
    reply = serve(add_operations)(path=f"{BASE}/Notes", headers=headers, content=body)
    assert words in refused(reply, 404, 10000), "its only documented 4xx is 404"


def test_a_body_that_is_not_documented_is_refused(serve: Serve) -> None:
    reply = serve(add_operations)("DELETE", f"{BASE}/Notes/1", content=b"x")
    assert "body is not expected" in refused(reply, 400, 10000)


INTEGER = {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({**INTEGER, "exclusiveMinimum": 5}, 6),
        ({**INTEGER, "exclusiveMaximum": -5}, -6),
        ({**INTEGER, "minimum": 5, "multipleOf": 4}, 8),
        (
            {
                "type": "object",
                "properties": {"a": INTEGER, "b": INTEGER, "c": INTEGER},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
            },
            {"a": 0, "c": 0},
        ),
    ],
)
def test_a_reply_without_an_example_is_made_from_its_schema(
    serve: Serve, schema: dict[str, Any], expected: Any
) -> None:
    def add(spec: dict[str, Any]) -> None:
        add_operations(spec)
        media = {"application/json": {"schema": schema}}
        spec["paths"]["/Notes/{Number}"]["get"]["responses"] = {"200": {"content": media}}

    assert serve(add)("GET", f"{BASE}/Notes/12", auth=None).json() == expected


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ("x,1,y,2", None),
        ("y,2", None),
        ("x,one", 'Point/x "one"'),
        ("x,1,z,2", "z"),
        ("x", "Point"),
    ],
)
def test_an_object_in_a_path_is_checked_by_its_members(
    serve: Serve, point: str, words: str | None
) -> None:
    def add(spec: dict[str, Any]) -> None:
        members = {"x": INTEGER, "y": INTEGER}
        schema = {"type": "object", "properties": members, "additionalProperties": False}
        given = [{"name": "Point", "in": "path", "required": True, "schema": schema}]
        spec["paths"]["/Points/{Point}"] = {
            "parameters": given,
            "get": {"operationId": "point", "responses": {"204": {}, "400": {}}},
        }

    send = serve(add)
    reply = send("GET", f"{BASE}/Points/{point}", auth=None)
    (exchange,) = send.mock.journal
    assert reply.status_code == (400 if words else 204), exchange.refusal
    assert (words or "") in (exchange.refusal or "")


@pytest.mark.parametrize(
    ("body", "is_taken"),
    [
        ({"kind": "cat", "lives": 9}, True),
        ({"kind": "Dog", "lives": "many"}, True),
        ({"kind": "cat", "lives": "many"}, False),
        ({"kind": "Dog", "lives": 9}, False),
        ({"kind": "Cat", "lives": 9}, True),
        ({"lives": 9}, False),
    ],
)
def test_a_discriminator_chooses_the_schema_of_a_body(
    serve: Serve, body: dict[str, Any], is_taken: bool
) -> None:
    def add(spec: dict[str, Any]) -> None:
        add_operations(spec)
        kinds = {"Cat": INTEGER, "Dog": {"type": "string"}}
        for name, lives in kinds.items():
            members = {"kind": {"type": "string"}, "lives": lives}
            spec["components"]["schemas"][name] = {"type": "object", "properties": members}
        spec["components"]["schemas"]["Note"] = {
            "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in kinds],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {"cat": "#/components/schemas/Cat"},
            },
        }
        spec["paths"]["/Notes"]["post"].pop("x-reply-repeats")

    send = serve(add)
    reply = send(path=f"{BASE}/Notes", auth=None, json=body)
    assert reply.status_code == (202 if is_taken else 404), send.mock.journal[-1].refusal
