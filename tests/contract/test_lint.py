"""Mistakes in the contract are refused in one line each, with their place."""

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen import generate
from codegen.document import Pointer, at
from codegen.validate import check, load, main
from codegen.yaml_source import SpecError
from tests.conftest import ROOT

SPEC = ROOT / "openapi.yaml"

# Name, old text, new text, words of the message, and another edit made before. The message must
# point to the key of the line with the new text, or to @.

POST, TAGS = "    post:\n      operationId: purchase", "      tags: [phone_numbers]\n"
GET = "    get:\n      operationId: list"
SECURITY, PATH = "      security:\n        - ProjectToken: []\n", "  /Accounts/{AccountSid}/I"
ACCOUNT, SID = '$ref: "#/components/parameters/AccountSid"', "b3877c40-da60-4998-90ad-b792e98472ac"
IMPORT = f"number, compare: digits}}\n{SECURITY}      parameters:\n        - "
ORIGIN = '$ref: "#/components/schemas/Origin"'
LESS = 'value:\n                  PhoneNumber: "+15551234567"\n'
CODE = "        code:\n          type: integer\n"
TWICE = f"parameters:\n        - {ACCOUNT}\n        - @{ACCOUNT}"
UNKNOWN = "  Spare:\n      allOf: [{type: object}]\n      @required: [Nme]\n    Origin:\n"
FORM, REPLY = "form-urlencoded:\n            schema:\n", '"200":\n                  '

BODY = "requestBody:\n"
INFO = SPEC.read_text("utf-8").splitlines().index("info:") + 2  # Where the mapping begins.
HMAC = "\n      description: >-\n        HMAC"
MISTAKES: list[tuple[str, ...]] = [
    ("a tab", "  title:", "@\ttitle:", "YAML|spaces"),
    ("an open bracket", "numbers]\n      summary:", "numbers\n      summary@:", "','"),
    ("an unknown anchor", "operationId: purchase", "operationId: @*name", "'name'"),
    (
        "an open quote",
        "- name: Page",
        "@- name: Page",
        f"mapping from line {INFO}",
        '"2010-04-01"',
        '"2010-04-01',
    ),
    ("a circular alias", "tags: [phone_numbers]", "tags: &all [*all]", "alias|tags[0]"),
    ("a key twice", "  license:", "  license: {name: MIT}\n  @license:", '"license"|already'),
    ("a second document", "\npaths:", "\n@---\npaths:", "another document"),
    ("a number as key", '"201":', "201:", "responses.201|int|quote it"),
    ("a number as version", '"2010-04-01"', "2010.04", "info.version|quote it"),
    ("a truth as value", "[voice, fax]", "[voice, fax, @no]", "VoiceReceiveMode.enum[2]|quote it"),
    ("a wrong tag", "minLength: 6", "minLength: !!int six", "PhoneNumber.minLength|six|tag"),
    ("an old OpenAPI", "openapi: 3.1.0", "openapi: 2.0.3", "2.0.3|3.1"),
    ("a number as OpenAPI", "openapi: 3.1.0", "openapi: 3.1", "3.1.0"),
    ("no such schema", "/HttpMethod", "/HtpMethod", "SmsFallbackMethod|HtpM|schemas/HttpMethod"),
    ("no such parameter", "parameters/Signa", "parameters/Si", "callbacks|parameters/Signature"),
    ("another file", "#/components/schemas/Err", "errors.yaml#/Err", "errors.yaml|schemas/Error"),
    ("a schema as parameter", "parameters/Acc", "schemas/Acc", "a schema, not a parameter"),
    ("a circle", "  Origin:\n", f"  Origin:\n      @{ORIGIN}\n", "schemas.Origin|itself"),
    ("a name twice", "incoming_call_status\n", "purchase\n", 'callbacks|"purchase"|Numbers.post'),
    ("two names alike", "call_status_by_get", "callStatus", "incoming_call_status|operationId"),
    ("two tags alike", "[phone_numbers]", "[@phoneNumbers]", "phoneNumbers|phone_numbers|tags[0]"),
    ("no operationId", POST, "    post:", "IncomingPhoneNumbers.post|operationId"),
    ("no tag", GET, GET, "one tag", TAGS, ""),
    ("two tags", "tags: [phone_numbers]", "tags: [phone_numbers, more]", "one tag"),
    ("no security", GET, GET, "security of its own", SECURITY, ""),
    ("no such security", "- ProjectToken: []", "- ProjectTokn: []", "ProjectTokn|ProjectToken"),
    ("no such path parameter", PATH, "  /Accounts/{AccountSid}/{Sid}/I", "{Sid}|get"),
    (
        "a parameter too many",
        f"{IMPORT}{ACCOUNT}",
        f"{IMPORT}@{ACCOUNT}",
        "AccountSid|parameters[0]",
        f"{PATH}mp",
        "  /Imp",
    ),
    (
        "a parameter twice",
        f"parameters:\n        - {ACCOUNT}",
        TWICE,
        "get.parameters[1]|AccountSid",
    ),
    ("a tag twice", "- name: p", "- name: phone_numbers\n  - @name: p", "tags[1].name|tags[0]"),
    ("a required member of no part", "  Origin:\n", UNKNOWN, "Spare.required|Nme"),
    ("a wrong default", "default: POST", "default: PUT", "SmsFallbackMethod.default|PUT|POST"),
    ("a reply without UUID", f"account_id: {SID}", "account_id: me", "value.account_id|uuid"),
    ("a parameter without UUID", f"example: {SID}", "example: me", "AccountSid.example|uuid"),
    ("a request off its pattern", '"+1555', '"1555', "page.value.PhoneNumber|does not match"),
    ("a request with more", "FriendlyName: Main", "FriendlyNam: Main", "page.value|FriendlyNam"),
    ("a request with less", LESS, "value:\n", 'page.value|"PhoneNumber" is missing'),
    ("a callback off its enum", "completed\n", "done\n", "[0].CallStatus|completed, failed"),
    ("a number in a callback", '"142"', "142", "examples[0].CallDuration|quote it"),
    ("a long value", f"example: {SID}", f"example: {900 * 'm'}", "AccountSid.example| ... |uuid"),
    (
        "a default of a shared schema",
        CODE,
        f"{CODE}          @default: none\n",
        "Error.properties.code",
    ),
    ("another status", "status: 422\n", "status: 401\n", "responses.422|says 401"),
    ("an unknown key", "summary: Purchase a", "sumary: Purchase a", "post.sumary|not known"),
    ("a key of two lines", "summary: Purchase a", r'"x\ny": Purchase a', "post.x y|not known"),
    ("a missing key", f"{REPLY}d", f"{REPLY}x-d", 'responses.200|"description" is missing'),
    ("a wrong place", f"in: header{HMAC}", f"in: heder{HMAC}", "Signature.in|heder|query, header"),
    (
        "a scheme that the client lacks",
        "- ProjectToken: []",
        "- Bearer: []",
        'security[0].Bearer|"Bearer" is not HTTP Basic',
        "securitySchemes:\n",
        "securitySchemes:\n    Bearer: {type: http, scheme: digest}\n",
    ),
    ("a wrong scheme", "type: http\n", "type: htp\n", "ProjectToken.type|htp"),
    ("an unknown type", "type: boolean", "type: bool", "Beta.schema.type|bool|boolean"),
    ("an unknown type of a body", FORM, f"{FORM}              @type: strng\n", "requestBody|strng"),
    ("an unknown keyword", "maxLength: 18", "maxLenght: 18", "PhoneNumber.maxLenght|not known"),
    ("text for a list", "[PhoneNumber]", "PhoneNumber", "PurchaseRequest.required|array"),
    ("a negative length", "minLength: 6", "minLength: -6", "PhoneNumber.minLength|-6"),
    ("a broken pattern", r"^\+\d", r"^(\+\d", "PhoneNumber.pattern|regex"),
]


def write_mistake(file: Path, mistake: tuple[str, ...]) -> str:
    """Write the contract with a mistake; return its line and column."""
    _, old, new, _, *before = mistake
    broken = SPEC.read_text(encoding="utf-8")
    if before:
        broken = broken.replace(before[0], before[1], 1)
    start = broken.index(old)
    broken = broken.replace(old, new, 1)
    if "@" in new:
        start, broken = broken.index("@"), broken.replace("@", "")
    begin = broken.rfind("\n", 0, start) + 1
    line = broken[begin:].partition("\n")[0]
    column = start - begin if "@" in new else len(line) - len(line.lstrip(" -"))
    position = f"{broken.count(chr(10), 0, start) + 1}:{column + 1}"
    file.write_text(broken, encoding="utf-8")
    return position


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[0].replace(" ", "-"))
def test_a_mistake_is_refused_with_one_line_that_points_to_it(
    tmp_path: Path, mistake: tuple[str, ...]
) -> None:
    file = tmp_path / "openapi.yaml"
    position = write_mistake(file, mistake)
    (message,) = check(file)
    assert message.startswith(f"{file}:{position}: "), message
    assert "\n" not in message
    assert len(message) < len(str(file)) + 400
    assert [word for word in mistake[3].split("|") if word not in message] == [], message


WORD = {"type": "string", "description": "One."}
SCHEMAS = ("components", "schemas")
FIELDS = (*SCHEMAS, "PurchaseRequest", "properties")
PURCHASE = ("paths", "/Accounts/{AccountSid}/IncomingPhoneNumbers", "post")
RECEIVER = (*PURCHASE, "callbacks", "IncomingCallStatus", "{$request.body#/StatusCallback}", "post")
# The key that is set or, if the value is None, removed; and words of the line.
LACKS: list[tuple[Pointer, Any, str]] = [
    ((*FIELDS, "VoiceUrl", "description"), None, "Request.properties.VoiceUrl: has no description"),
    (("tags", 0, "description"), None, "tags[0]: has no description"),
    (("components", "parameters", "AccountSid", "example"), None, "AccountSid: has no example"),
    ((*SCHEMAS, "IncomingCallStatus", "examples"), None, "form-urlencoded: has no example"),
    ((*SCHEMAS, "Spare"), WORD, "schemas.Spare: is used by no operation"),
    ((*SCHEMAS, "spare_part"), WORD, 'spare_part: the schema "spare_part" is not in PascalCase'),
    ((*FIELDS, "voice_x"), WORD, 'voice_x: the member "voice_x" is not in PascalCase'),
    ((*SCHEMAS, "Error", "properties", "errorThing"), WORD, '"errorThing" is not in snake_case'),
    ((*PURCHASE, "operationId"), "buyNumber", '"buyNumber" is not in snake_case'),
    ((*PURCHASE, "operationId"), "buy", 'purchase: leads to "purchase", which is not an operation'),
    ((*PURCHASE, "responses", "401"), None, "post.responses: lack the 401"),
    ((*PURCHASE, "summary"), None, "post: has no summary"),
    ((*PURCHASE, "summary"), "Buy " * 19, "post.summary: is longer than 72 characters"),
    ((*PURCHASE, "description"), None, "post: has no description"),
    ((*PURCHASE, "externalDocs"), None, "post: has no externalDocs"),
    ((*PURCHASE, "x-source"), None, "post: has no x-source"),
    ((*RECEIVER, "x-source"), None, "{$request.body#/StatusCallback}.post: has no x-source"),
]


@pytest.mark.parametrize(("where", "value", "words"), LACKS, ids=[lack[2] for lack in LACKS])
def test_what_readers_would_miss_fails_lint_and_does_not_stop_generation(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    contract: dict[str, Any],
    where: Pointer,
    value: Any,
    words: str,
) -> None:
    document = copy.deepcopy(contract)
    at(document, where[:-1])[where[-1]] = value
    if value is None:
        del at(document, where[:-1])[where[-1]]
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    load(file)
    assert main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    found = [line for line in lines if words in line]
    assert [line for line in found if re.match(rf"{re.escape(str(file))}:\d+:\d+: ", line)], lines


def test_a_status_is_text_without_quotes(tmp_path: Path, contract: dict[str, Any]) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(re.sub(r'"(\d{3})":', r"\1:", SPEC.read_text("utf-8")), "utf-8")
    assert load(file)["paths"] == load(SPEC)["paths"]


def test_the_form_of_a_contract_and_its_references_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    text = SPEC.read_text("utf-8").replace("/HttpMethod", "/HtpMethod", 1)
    file.write_text(text.replace("type: boolean", "type: bool", 1), "utf-8")
    with pytest.raises(SpecError, match=r"(?s)bool.*HtpMethod.* leads nowhere") as caught:
        load(file)
    assert "refused in 2 places, of 2 kinds" in str(caught.value)


def test_a_date_and_a_time_of_day_are_text_without_quotes(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    text = SPEC.read_text("utf-8").replace('"2010-04-01"', "2010-04-01", 1)
    file.write_text(text.replace("  license:", "  x-opens: 18:00\n  license:", 1), "utf-8")
    info = load(file)["info"]
    assert (info["version"], info["x-opens"]) == ("2010-04-01", "18:00")


def test_a_name_in_capitals_is_of_every_style(tmp_path: Path, contract: dict[str, Any]) -> None:
    document = copy.deepcopy(contract)
    for schema in ("PurchaseRequest", "IncomingPhoneNumber"):
        document["components"]["schemas"][schema]["properties"]["SMS"] = WORD
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    assert main([str(file)]) == 0


FILES: dict[str, tuple[bytes | None, str, str]] = {
    "missing": (None, "1:1", "No such file"),
    "empty": (b"", "1:1", "not a mapping"),
    "only a comment": (b"# nothing\n", "1:1", "not a mapping"),
    "a list": (b"- openapi: 3.1.0\n", "1:1", "not a mapping"),
    "a text": (b"openapi 3.1.0\n", "1:1", "not a mapping"),
    "Latin-1": (b"openapi: 3.1.0\ninfo: {title: caf\xe9}\n", "2:18", "not UTF-8"),
    "a control character": (b"openapi: 3.1.0\ninfo: \x07\n", "2:7", "does not allow"),
    "another format": (b"swagger: '2.0'\n", "1:1", "only OpenAPI 3.0"),
    "numbers all over": (b"openapi: 3.1.0\npaths: 1\ncomponents: {schemas: 2}\n", "1:1", "info"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_a_contract_is_refused_with_one_line(tmp_path: Path, name: str) -> None:
    content, position, words = FILES[name]
    file = tmp_path / "openapi.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SpecError, match=rf"(?m)^{re.escape(str(file))}:{position}: .*{words}.*$"):
        load(file)


def test_the_command_prints_nothing_for_a_valid_contract() -> None:
    command = [sys.executable, "-m", "codegen.validate", str(SPEC)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_command_prints_every_mistake_in_the_order_of_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "openapi.yaml"
    broken = SPEC.read_text(encoding="utf-8").replace("status: 401", "status: 403", 1)
    broken = broken.replace("completed\n", "done\n").replace("page:\n", "p:\n", 1)
    file.write_text(broken, "utf-8")
    assert main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "says 403" in lines[0]
    assert "examples[0].CallStatus" in lines[1]
    load(file)
    assert main([str(tmp_path / "none.yaml")]) == 1
    assert "No such file" in capsys.readouterr().out


def test_all_that_is_refused_is_told_at_once_by_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "openapi.yaml"
    secured = "- ProjectToken: []"
    text = SPEC.read_text(encoding="utf-8")
    broken = text.replace(secured, "- Tokn: []")
    broken = broken.replace("  schemas:\n", "  schemas:\n    AnnotationsPage: {type: object}\n", 1)
    file.write_text(broken.replace("operationId: list\n", "operationId: annotations\n"), "utf-8")
    assert generate.main(["--spec", str(file), "--output", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"{file}: refused in {text.count(secured) + 2} places, of 3 kinds:"
    assert [re.sub(r".*?: .*?: ", "", line, count=1) for line in told[1:4]] == [
        '"Tokn" is not a security scheme: use one of components (ProjectToken)'
    ] * 3
    assert told[4] == f"  and {text.count(secured) - 3} more of this kind"
    assert [line.split(": ")[1] for line in told[5:]] == [
        "paths./Accounts/{AccountSid}/IncomingPhoneNumbers.get.operationId",
        "components.schemas.AnnotationsPage",
    ]


def test_what_is_not_checked_is_counted_by_kind_and_fails_lint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], contract: dict[str, Any]
) -> None:
    document = copy.deepcopy(contract)
    fields = at(document, FIELDS)  # Another request has the same two.
    fields["VoiceUrl"] |= {"format": "url", "maxLenght": 9}
    fields["SmsUrl"] |= {"format": "url", "default": 7}
    del at(document, PURCHASE)["tags"]
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    report = tmp_path / "reports" / "generate.md"
    command = ["--output", str(tmp_path / "out"), "--report", str(report), "--spec"]
    assert generate.main([*command, str(file)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(f"; {report} names the places.")
    counts = line.removeprefix("Without effect in the client: ").partition("; ")[0]
    assert sorted(counts.split(", ")) == [
        "1 x missing tag",
        "2 x default that does not fit",
        "2 x unknown keyword",
        "4 x unknown format",
    ]
    told = report.read_text("utf-8").splitlines()
    assert next(line for line in told if line.startswith("## ")) == "## unknown format: 4"
    places = [line.removeprefix("- ") for line in told if line.startswith("- ")]
    assert main([str(file)]) == 1
    assert {*places} >= {*capsys.readouterr().out.splitlines()}
    assert generate.main([*command, str(ROOT / "openapi.yaml")]) == 0
    assert not report.exists()


TREES = """
openapi: 3.1.1
info: {title: Trees, version: "1"}
paths:
  x-note: {get: {free: [1, 2]}}
  /trees/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}, example: 3}
    get:
      operationId: get_tree
      tags: [trees]
      security: []
      responses: &replies
        "200":
          description: A tree.
          content: {application/json: {schema: {$ref: "#/components/schemas/Tree"}}}
        4XX: {$ref: "#/components/responses/Problem"}
    put: {operationId: put_tree, tags: [trees], security: [{}], responses: *replies}
components:
  responses:
    Problem:
      description: A problem.
      content:
        application/problem+json:
          schema: {type: object, properties: {status: {type: integer}}}
          examples: {lost: {$ref: "#/components/examples/lost"}}
  examples: {lost: {value: {status: 404}}}
  schemas:
    Tree:
      type: object
      properties:
        example: {type: string}
        free: {default: {$ref: "#/nowhere"}}
        branches: {type: array, items: {$ref: "#/components/schemas/Tree"}}
      examples: [{branches: [{branches: []}]}]
"""


def test_a_contract_of_another_service_is_accepted_as_well(tmp_path: Path) -> None:
    file = tmp_path / "trees.yaml"
    file.write_text(TREES, encoding="utf-8")
    assert load(file)["info"]["title"] == "Trees"
