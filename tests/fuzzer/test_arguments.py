"""What the command refuses before it sends anything, in one line that says what to do."""

import re
from pathlib import Path

import pytest

from .conftest import Fuzz


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give --url URL, --client PACKAGE or both"),
        (("--url", "example.com"), "example.com is not an address"),
        (("--url", "https://example.com"), "costs money there.*again: --allow-host example.com"),
        (("--url", "http://127.0.0.1.nip.io"), "is not this machine"),
        (("--url", "https://example.com", "--allow-host", "example.org"), "is not this machine"),
        (("--url", "http://127.0.0.1:1", "--spec", "none.yaml"), "none.yaml is not a file"),
        (("--url", "http://[::1]:1", "--seconds", "soon"), "FUZZ_SECONDS is 'soon'"),
        (("--client", "none.at_all"), "--client none.at_all: no such module"),
        (
            ("--url", "http://localhost:1", "--examples", "0"),
            "FUZZ_EXAMPLES is '0': give a whole number from 1",
        ),
        (("--url", "http://me:hidden@localhost:1"), "holds credentials.*by --auth$"),
        (("--url", "http://localhost:99999"), "http://localhost:99999 is not an address"),
        (("--client", "json", "--include", "name=x"), "--include name=x: give id=VALUE, tag="),
        (("--client", "json", "--include", "id=none"), "no such id. It has: createOrder, getO"),
        (("--client", "json", "--exclude", "tag=order"), "no such tag. It has: orders, prices"),
        (("--client", "json", "--exclude", "method=PUT"), "no such method. It has: GET, POST"),
        (("--client", "json", "--hooks", "none"), "can't be imported: ModuleNotFoundError"),
        (("--client", "json", "--hooks", "hooks.py"), "name of a module, such as hooks"),
        (("--client", "json", "--hooks", "json"), "it has no around_case"),
        (("--client", "json", "--known", "k"), "no file k.client. Write it with --learn"),
        (("--url", "http://localhost:1", "--auth", "hidden"), "as USER:PASSWORD$"),
        (("--url", "http://localhost:1", "--header", "hidden"), "give a name and a value"),
        (("--client", "json", "--learn"), "--learn needs --known FILE"),
        (("--client", "json", "--spec", "http://x/y.yaml"), "http://x/y.yaml: download the doc"),
    ],
    ids=str,
)
def test_what_makes_no_sense_or_costs_money_is_refused(
    fuzz: Fuzz, options: tuple[str, ...], message: str
) -> None:
    done = fuzz(*options, FUZZ_ALLOW_HOST="example.com")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1  # No usage, no traceback.
    assert re.search(message, done.stderr.strip()), done.stderr
    assert "hidden" not in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it has no paths"),
        (b"paths: [", "openapi.yaml is not an OpenAPI document: while parsing"),
        (b"openapi: 3.1.0", "it has no paths"),
        (b"paths: {}", "has no operations"),
        (b"\xff\xfe", "is not an OpenAPI document"),
        (b"swagger: '2.0'\npaths: {/: {}}", "is Swagger 2.0: convert it to OpenAPI 3"),
        (
            b"openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: ./ok.yaml#/a}}}}}",
            "names another file: ./ok.yaml#/a. Bundle the document first, for example with",
        ),
        (
            b"openapi: 3.1.0\npaths:\n"
            b"  /a: {get: {responses: {200: {$ref: '#/components/responses/Ok'}}}}",
            "has a reference to what is not there: #/components/responses/Ok",
        ),
        (
            b"openapi: 3.1.0\npaths: {/a: {$ref: '#/paths/~1b'}, /b: {$ref: '#/paths/~1a'}}",
            "has a reference that leads to itself: #/paths/~1b",
        ),
        (b"openapi: 3.1.0\nwebhooks: {}", "has only webhooks"),
        (
            b"openapi: 3.1.0\npaths: {'/a/{id}': {get: {}}}",
            "can't be read at paths./a/{id}.get: it has no parameter id, as in its path",
        ),
        (b"paths: {/a: {get: {}}}", "has no version of OpenAPI: write openapi: 3.1.0"),
    ],
)
def test_a_file_that_is_no_document_is_refused_in_a_line(
    fuzz: Fuzz, tmp_path: Path, content: bytes, message: str
) -> None:
    spec = tmp_path / "openapi.yaml"
    spec.write_bytes(content)
    done = fuzz("--url", "http://127.0.0.1:1", "--spec", str(spec))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert message in " ".join(done.stderr.split())
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def _with_schema(schema: str) -> str:
    return f"requestBody: {{content: {{application/json: {{schema: {{{schema}}}}}}}}}"


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        ("responses: {200: null}", 'responses.200: null is not of type "object"'),
        ("parameters: [{in: query, schema: {}}]", 'parameters.0: "name" is a required property'),
        ("parameters: [{in: form, name: x}]", '"form" is not one of query, header, path, cookie'),
        ("requestBody: {content: null}", 'requestBody.content: null is not of type "object"'),
        (_with_schema("required: code"), 'schema.required: "code" is not of type "array"'),
        (_with_schema("properties: [code]"), 'schema.properties: ["code"] is not of type "object"'),
        (_with_schema("properties: {title: null}"), "properties.title: null is not of types"),
        (_with_schema("pattern: '['"), 'schema.pattern: "[" is not a "regex"'),
        (_with_schema("patternProperties: {'[': {}}"), "schema.patternProperties: "),
        (_with_schema("type: any"), 'schema.type: "any" is not a type'),
    ],
)
def test_a_part_of_the_document_that_cannot_be_read_is_named(
    fuzz: Fuzz, tmp_path: Path, operation: str, problem: str
) -> None:
    spec = tmp_path / "openapi.yaml"
    spec.write_text(f"openapi: 3.1.0\npaths: {{/a: {{get: {{{operation}}}}}}}", "utf-8")
    done = fuzz("--url", "http://127.0.0.1:1", "--spec", str(spec))
    assert done.returncode == 2
    assert re.fullmatch(r".* can't be read at paths\./a\.get\..*\n", done.stderr), done.stderr
    assert problem in done.stderr
