"""`make diff`: what a change means for callers, and the version that it asks for."""

import copy
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from jinja2 import FileSystemBytecodeCache

from codegen import generate
from contract_diff import __main__ as diff
from contract_diff import recording
from contract_diff.operations import changes
from scripts import release
from tests.conftest import ROOT

Edit = Callable[[dict[str, Any]], object]
PATH = "/Accounts/{AccountSid}/IncomingPhoneNumbers"


def request(document: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"]["PurchaseRequest"]
    return schema


def without_a_field(document: dict[str, Any]) -> None:
    del request(document)["properties"]["VoiceFallbackUrl"]
    (body,) = operation(document)["requestBody"]["content"].values()
    del body["examples"]["everything"]["value"]["VoiceFallbackUrl"]


def reply(document: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"]["IncomingPhoneNumber"]
    return schema


def operation(document: dict[str, Any]) -> dict[str, Any]:
    raw: dict[str, Any] = document["paths"][PATH]["post"]
    return raw


def field(name: str, **values: Any) -> Edit:
    return lambda document: request(document)["properties"][name].update(values)


def member(name: str, **values: Any) -> Edit:
    return lambda document: reply(document)["properties"][name].update(values)


def enum(name: str, *values: str) -> Edit:
    return lambda document: document["components"]["schemas"][name].update(enum=list(values))


def parameter(**values: Any) -> dict[str, Any]:
    return {"name": "X", "in": "query", "required": False, "schema": {"type": "string"}, **values}


def without(name: str, key: str) -> Edit:
    return lambda document: request(document)["properties"][name].pop(key)


def renamed(document: dict[str, Any]) -> None:
    properties = request(document)["properties"]
    properties["SmsWebhook"] = properties.pop("SmsUrl")


def moved(document: dict[str, Any]) -> None:
    document["paths"]["/v2/Numbers"] = document["paths"].pop(PATH)


def second(document: dict[str, Any]) -> None:
    document["paths"]["/Second"] = {
        "post": {**copy.deepcopy(operation(document)), "operationId": "second"}
    }


def inlined(document: dict[str, Any]) -> None:
    content = operation(document)["requestBody"]["content"]["application/x-www-form-urlencoded"]
    content["schema"] = request(document)


def as_json(document: dict[str, Any]) -> None:
    body = operation(document)["requestBody"]["content"]
    body["application/json"] = body.pop("application/x-www-form-urlencoded")


def content(document: dict[str, Any], status: str = "") -> dict[str, Any]:
    """Give the kinds of the body of the request, or of a reply."""
    raw = operation(document)
    found: dict[str, Any] = (raw["responses"][status] if status else raw["requestBody"])["content"]
    return found


def kind(name: str, status: str = "", *, first: bool = False) -> Edit:
    """Make an edit that adds a kind of body: one that is read like the others, or text."""

    def edit(document: dict[str, Any]) -> None:
        found = content(document, status)
        (old,) = found.values()
        new = {name: {"schema": {"type": "string"}} if name.startswith("text/") else old}
        kinds = {**new, **found} if first else {**found, **new}
        found.clear()
        found.update(kinds)

    return edit


def categories(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]["Error"]["x-error-categories"]
    return found


def without_a_query(document: dict[str, Any]) -> None:
    (item,) = operation(document)["callbacks"]["IncomingCallStatus"].values()
    item["get"]["parameters"].clear()


# Each edit with what it is, and whether it breaks callers.
EDITS: dict[str, tuple[Edit, list[tuple[str, bool]]]] = {
    "nothing": (lambda document: document, []),
    "words alone": (field("SmsUrl", description="Other words."), []),
    "a schema moved to its place": (inlined, []),
    "a new operation": (second, [("added", False)]),
    "an operation gone": (lambda d: d["paths"].pop(PATH), [("removed", True)]),
    "an operation renamed": (
        lambda d: operation(d).update(operationId="buy"),
        [("added", False), ("removed", True)],
    ),
    "a tag renamed": (
        lambda d: operation(d).update(tags=["numbers"]),
        [("added", False), ("removed", True)],
    ),
    "another path": (moved, [("changed", False)]),
    "another server": (lambda d: d["servers"][0].update(url="https://x.y/z"), [("changed", False)]),
    "a server more": (
        lambda d: d["servers"].append({"url": "https://eu.x.y/z"}),
        [("added", False)],
    ),
    "other words for a server": (lambda d: d["servers"][0].update(description="x"), []),
    "an operation given up": (lambda d: operation(d).update(deprecated=True), [("changed", False)]),
    "a field given up": (field("SmsUrl", deprecated=True), [("changed", False)]),
    "a parameter given up": (
        lambda d: d["components"]["parameters"]["AccountSid"].update(deprecated=True),
        [("changed", False)],
    ),
    "other credentials": (lambda d: operation(d).update(security=[]), [("changed", False)]),
    "a new optional field": (
        lambda d: request(d)["properties"].update(New={"type": "string"}),
        [("added", False)],
    ),
    "a new required field": (
        lambda d: (
            request(d)["properties"].update(New={"type": "string"}),
            request(d)["required"].append("New"),
        ),
        [("added", True)],
    ),
    "a field gone": (lambda d: request(d)["properties"].pop("SmsUrl"), [("removed", True)]),
    "a field renamed": (renamed, [("added", False), ("removed", True)]),
    "a field required": (lambda d: request(d)["required"].append("SmsUrl"), [("tightened", True)]),
    "a field not required": (lambda d: request(d)["required"].clear(), [("loosened", False)]),
    "another type": (field("FriendlyName", type="integer"), [("changed", True)]),
    "a type more": (field("FriendlyName", type=["string", "null"]), [("loosened", False)]),
    "a type less": (field("PhoneNumber", type=[]), [("loosened", False)]),
    "an allowed value more": (enum("VoiceReceiveMode", "voice", "fax", "x"), [("loosened", False)]),
    "an allowed value less": (enum("VoiceReceiveMode", "voice"), [("tightened", True)]),
    "allowed values from now on": (field("FriendlyName", enum=["a"]), [("tightened", True)]),
    "a shorter limit": (field("PhoneNumber", maxLength=12), [("tightened", True)]),
    "a longer limit": (field("PhoneNumber", maxLength=20), [("loosened", False)]),
    "a limit gone": (without("PhoneNumber", "maxLength"), [("loosened", False)]),
    "a new limit": (field("FriendlyName", maxLength=64), [("tightened", True)]),
    "a higher minimum": (field("PhoneNumber", minLength=7), [("tightened", True)]),
    "another pattern": (field("PhoneNumber", pattern="^.$"), [("changed", True)]),
    "a pattern gone": (without("PhoneNumber", "pattern"), [("loosened", False)]),
    "a new format": (field("FriendlyName", format="email"), [("tightened", True)]),
    "a format gone": (without("SmsUrl", "format"), [("loosened", False)]),
    "another default": (field("SmsMethod", default="GET"), [("changed", True)]),
    "a default gone": (without("SmsMethod", "default"), [("changed", False)]),
    "an open request": (lambda d: request(d).pop("additionalProperties"), [("loosened", False)]),
    "a new optional parameter": (
        lambda d: operation(d)["parameters"].append(parameter()),
        [("added", False)],
    ),
    "a new required parameter": (
        lambda d: operation(d)["parameters"].append(parameter(required=True)),
        [("added", True)],
    ),
    "a field that is a parameter now": (
        lambda d: operation(d)["parameters"].append(
            parameter(name="SmsUrl", schema=request(d)["properties"].pop("SmsUrl"))
        ),
        [("changed", True)],
    ),
    "a parameter gone": (lambda d: operation(d)["parameters"].clear(), [("removed", True)]),
    "another format of an account": (
        lambda d: d["components"]["schemas"]["AccountSid"].pop("format"),
        [("loosened", False)],
    ),
    "JSON for a form": (as_json, [("changed", False)]),
    "JSON beside a form": (kind("application/json"), [("changed", False), ("changed", True)]),
    "a body that may be left out": (
        lambda d: operation(d)["requestBody"].update(required=False),
        [("changed", True), ("loosened", False)],
    ),
    "text beside the JSON of a reply": (kind("text/csv", "201"), [("changed", False)]),
    "text before the JSON of a reply": (kind("text/csv", "201", first=True), [("changed", True)]),
    "what nobody reads before the JSON of a reply": (
        kind("application/xml", "201", first=True),
        [("changed", False)],
    ),
    "text before the JSON of an error": (
        kind("text/plain", "422", first=True),
        [("changed", True)],
    ),
    "text beside the JSON of an error": (kind("text/plain", "422"), [("changed", False)]),
    "an error without a body": (lambda d: content(d, "422").clear(), [("changed", True)]),
    "no body": (lambda d: operation(d).pop("requestBody"), [("removed", True)]),
    "a new member": (
        lambda d: reply(d)["properties"].update(new={"type": "string"}),
        [("added", False)],
    ),
    "a member gone": (lambda d: reply(d)["properties"].pop("beta"), [("removed", True)]),
    "a member that may be absent": (
        lambda d: reply(d)["required"].remove("sid"),
        [("loosened", True)],
    ),
    "a member always there": (
        lambda d: reply(d)["required"].append("verification_status"),
        [("changed", False)],
    ),
    "a member that may be null": (member("sid", type=["string", "null"]), [("loosened", True)]),
    "a member never null": (member("sms_url", type="string"), [("tightened", False)]),
    "a member of another type": (member("beta", type="string"), [("changed", True)]),
    "a member that is a date": (
        member("date_created", format="date-time"),
        [("tightened", True)],
    ),
    "a value more in a reply": (enum("Origin", "signalwire", "hosted", "x"), [("loosened", False)]),
    "a value less in a reply": (enum("Origin", "signalwire"), [("tightened", False)]),
    "a limit in a reply": (member("sid", maxLength=36), [("tightened", False)]),
    "a new error": (
        lambda d: operation(d)["responses"].update({"409": operation(d)["responses"]["422"]}),
        [("added", False)],
    ),
    "an error gone": (lambda d: operation(d)["responses"].pop("422"), [("removed", False)]),
    "a header of a reply": (lambda d: headers(d).update(HEADERS), [("added", False)] * 2),
    "another success": (
        lambda d: operation(d)["responses"].update({"200": operation(d)["responses"].pop("201")}),
        [("added", True), ("removed", True)],
    ),
    "an error code in another category": (
        lambda d: d["components"]["schemas"]["Error"]["x-error-codes"]["4001"].update(
            category="input"
        ),
        [("changed", True)],
    ),
    "a status in another category": (
        lambda d: (
            categories(d)["limit"]["statuses"].append(404),
            categories(d)["input"]["statuses"].remove(404),
        ),
        [("changed", True)],
    ),
    "a new error code": (
        lambda d: d["components"]["schemas"]["Error"]["x-error-codes"].update(
            {"4999": {"status": 422, "category": "input", "when": "x"}}
        ),
        [("added", False)],
    ),
    "a member of the callback gone": (
        lambda d: d["components"]["schemas"]["IncomingCallStatus"]["properties"].pop("From"),
        [("removed", True)] * 2,
    ),
    "a query of the callback gone": (without_a_query, [("removed", True)]),
    "a callback gone": (lambda d: operation(d).pop("callbacks"), [("removed", True)] * 2),
}


HEADERS: dict[str, Any] = {
    "X-Request-Id": {"required": True, "schema": {"type": "string"}},
    "X-Page": {"schema": {"type": "integer"}},
}


def headers(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation(document)["responses"]["201"].setdefault("headers", {})
    return found


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda found: found.pop("X-Request-Id"), ("removed", True)),
        (lambda found: found["X-Request-Id"].update(required=False), ("loosened", True)),
        (lambda found: found["X-Page"].update(schema={"type": "string"}), ("changed", True)),
        (lambda found: found["X-Page"].update(deprecated=True), ("changed", False)),
        (lambda found: found.update({"x-page": found.pop("X-Page")}), None),
    ],
    ids=["gone", "optional", "another type", "given up", "in another case"],
)
def test_a_header_of_a_reply_is_weighed_as_what_callers_read(
    contract: dict[str, Any], edit: Edit, expected: tuple[str, bool] | None
) -> None:
    before = copy.deepcopy(contract)
    headers(before).update(copy.deepcopy(HEADERS))
    after = copy.deepcopy(before)
    edit(headers(after))
    found = [(change.kind, change.breaking) for change in changes(before, after)]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_contract_is_told_and_weighed(contract: dict[str, Any], name: str) -> None:
    edit, expected = EDITS[name]
    edited = copy.deepcopy(contract)
    edit(edited)
    found = changes(contract, edited)
    assert sorted((change.kind, change.breaking) for change in found) == sorted(expected)
    assert all(re.fullmatch(r"\S.*: \w+: \S.*", str(change)) for change in found)


def test_several_changes_have_the_order_of_the_document(contract: dict[str, Any]) -> None:
    names = ["gamma", "alpha", "zeta", "beta", "eta", "delta"]
    new = copy.deepcopy(contract)
    new["paths"] |= {
        f"/{name}": {"post": {**operation(contract), "operationId": name}} for name in names
    }
    raw = operation(new)
    raw["parameters"] = [*raw["parameters"], *(parameter(name=name) for name in names)]
    request(new)["properties"] |= {f"In_{name}": {"type": "string"} for name in names}
    raw["responses"] |= {f"5{number}0": raw["responses"]["422"] for number in (3, 1, 2)}
    places = [
        *(f"phone_numbers.{name}" for name in names),
        *(f"phone_numbers.purchase: {name}" for name in names),
        *(f"phone_numbers.purchase: In_{name}" for name in names),
        *(f"phone_numbers.purchase: reply 5{number}0" for number in (3, 1, 2)),
    ]
    assert [change.where for change in changes(contract, new)] == places
    assert [change.where for change in changes(new, contract)] == places


INSIDE: dict[str, tuple[Any, Any, list[tuple[str, bool]]]] = {
    "items that were free": (
        {"type": "array"},
        {"items": {"type": "integer"}},
        [("tightened", True)],
    ),
    "other members of another type": (
        {"additionalProperties": {"type": "string"}},
        {"additionalProperties": {"type": "integer"}},
        [("changed", True)],
    ),
    "null among the alternatives": (
        {"anyOf": [{"type": "integer"}]},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        [("loosened", False)],
    ),
    "an alternative less": (
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        {"oneOf": [{"type": "string"}]},
        [("tightened", True)],
    ),
    "a limit of an alternative": (
        {"oneOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
        [("tightened", True)],
    ),
    "what was so already, said": ({"type": "array"}, {"uniqueItems": False}, []),
    "a whole number that may be any": (
        {"type": "integer"},
        {"type": "number"},
        [("loosened", False)],
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_what_changes_inside_a_field_is_told_and_weighed(
    contract: dict[str, Any], name: str
) -> None:
    before, after, expected = INSIDE[name]
    old, new = copy.deepcopy(contract), copy.deepcopy(contract)
    request(old)["properties"]["Area"] = before
    request(new)["properties"]["Area"] = {**before, **after}
    found = changes(old, new)
    assert [(change.kind, change.breaking) for change in found] == expected


def test_a_change_behind_a_reference_that_may_be_null_is_told(contract: dict[str, Any]) -> None:
    old = copy.deepcopy(contract)
    maybe = {"oneOf": [{"$ref": "#/components/schemas/Capabilities"}, {"type": "null"}]}
    reply(old)["properties"]["capabilities"] = maybe
    new = copy.deepcopy(old)
    del new["components"]["schemas"]["Capabilities"]["properties"]["fax"]
    (found,) = changes(old, new)
    assert (found.kind, found.breaking) == ("removed", True)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose main branch holds the project as it is."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("openapi.yaml", "pyproject.toml", "CHANGELOG.md", "generator-config.yml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "mock_server").mkdir()
    shutil.copy(ROOT / "mock_server" / "pyproject.toml", folder / "mock_server")
    for name in ("codegen", "contract_diff", "generated", "runtime", "scripts"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".new-*")
        )
    # The releases of these tests begin here, whatever the project has come to.
    version = ".".join(map(str, diff.Tree(ROOT).version))
    replace(folder / "pyproject.toml", f'"{version}"', '"0.1.0"')
    history = (folder / "CHANGELOG.md").read_text("utf-8")
    (folder / "CHANGELOG.md").write_text(history.partition("\n## ")[0] + "\n## 0.1.0\n", "utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=base")
    return folder


@pytest.fixture(scope="session")
def known() -> dict[Any, Any]:
    """Keep what is read out of a package: most tests compare with the same one."""
    return {}


@pytest.fixture
def repository(
    prepared: Path,
    known: dict[Any, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Give a repository of its own to a test, and work in it."""
    folder = tmp_path / "repository"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    once(monkeypatch, known, "_recorded", lambda tree, played: (tree.package, played))
    once(monkeypatch, known, "python_api", lambda generated: diff.Tree(generated.parent).package)
    return folder


def once(
    monkeypatch: pytest.MonkeyPatch, known: dict[Any, Any], name: str, key: Callable[..., Any]
) -> None:
    """Let a function of `diff` do its work once for each key."""
    function = getattr(diff, name)

    def remembered(*arguments: Any) -> Any:
        place = name, str(key(*arguments))
        if place not in known:
            known[place] = function(*arguments)
        return known[place]

    monkeypatch.setattr(diff, name, remembered)


class Ran(NamedTuple):
    """What a command left."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command here: `run(diff, "--base", "HEAD")`."""

    def called(tool: Any, *arguments: str) -> Ran:
        capsys.readouterr()
        status = tool.main(list(arguments))
        return Ran(status, *capsys.readouterr())

    return called


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def edit_contract(repository: Path, shared: Path) -> Callable[[Edit], None]:
    """Edit the contract, and generate as `make generate` does, but for the formatter."""
    cache = FileSystemBytecodeCache(str(shared))

    def edited(edit: Edit) -> None:
        spec, package = (
            repository / name for name in ("openapi.yaml", "generated/signalwire_compat")
        )
        document = yaml.load(spec.read_text("utf-8"), yaml.CSafeLoader)
        edit(document)
        spec.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False), "utf-8")
        shutil.rmtree(package)
        generate.generate(spec, package, hooks=False, compiled=cache)

    return edited


def with_a_member(document: dict[str, Any]) -> None:
    reply(document)["properties"]["new"] = {"type": "string"}


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_no_change_asks_for_no_version(repository: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "contract_diff"], check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    told = ("Nothing.", "Nothing that breaks.", "The same bytes.", "Moved: nothing.", "0.1.0 or")
    assert [part for part in told if part not in result.stdout] == []
    assert (repository / "reports" / "diff.md").read_text("utf-8") == result.stdout


def test_a_breaking_change_needs_a_version_and_an_entry(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    edit_contract(without_a_field)
    result = run(diff)
    assert result.status == 1
    for part in (
        "**breaking**: phone_numbers.purchase: VoiceFallbackUrl: removed: the argument is gone",
        "PhoneNumbers.purchase: Parameter was removed",
        "The change breaks callers: run `make release VERSION=0.2.0`, or a higher one.",
    ):
        assert part in result.out
    replace(repository / "pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    result = run(diff)
    assert result.status == 1
    assert "CHANGELOG.md has no entry for 0.2.0: add `## 0.2.0`" in result.out
    replace(repository / "CHANGELOG.md", "## 0.1.0", "## 0.2.0\n\n- One.\n\n## 0.1.0")
    assert run(diff).status == 0


def test_a_compatible_change_needs_less(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    edit_contract(with_a_member)
    result = run(diff)
    assert result.status == 1
    assert "compatible: phone_numbers.purchase: reply 201: new: added" in result.out
    assert "\nMoved: spec.\n" in result.out
    assert "changes what callers get: run `make release VERSION=0.1.1`" in result.out


@pytest.mark.parametrize("edit", [lambda d: None, with_a_member], ids=["alone", "beside-another"])
def test_a_json_body_where_a_form_belongs_breaks_whatever_else_changes(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run, edit: Edit
) -> None:
    edit_contract(edit)
    module = repository / "generated/signalwire_compat/api/phone_numbers/purchase.py"
    replace(module, "content=_encoding.urlencoded(_form).encode()", "content=repr(_form).encode()")
    result = run(diff)
    assert result.status == 1
    assert "- **breaking**" not in result.out.partition("## On the wire")[0]
    wire_lines = [line for line in result.out.splitlines() if ": body: " in line]
    assert len(wire_lines) >= 2
    assert all(line.startswith("- **breaking**: phone_numbers.purchase, ") for line in wire_lines)
    # Replies of all sorts were asked for with the same body: that is told once.
    assert len({line.partition(": sent: ")[2] for line in wire_lines}) == len(wire_lines)
    assert "VERSION=0.2.0`" in result.out


@pytest.mark.parametrize(
    ("url", "base"), [("https://x.example.com", ""), ("/v2/{space}/", "/v2/your-space")]
)
def test_another_path_of_the_server_is_no_fault_of_the_client(
    run: Run, edit_contract: Callable[[Edit], None], url: str, base: str
) -> None:
    edit_contract(lambda d: d["servers"][0].update(url=url))
    result = run(diff)
    assert "compatible: servers: changed: https://your-space.signalwire.com/api/laml" in result.out
    (line,) = (line for line in result.out.splitlines() if ": sent: " in line)
    assert line.startswith("- as the contract says: phone_numbers.purchase, page, 201 purchased")
    path = f"{base}/Accounts/b3877c40-da60-4998-90ad-b792e98472ac/IncomingPhoneNumbers"
    assert line.endswith(f'became "POST {path}" (and 5 more like it)')
    assert "VERSION=0.1.1`" in result.out


def test_a_refusal_in_another_content_type_breaks_nothing(
    run: Run, edit_contract: Callable[[Edit], None]
) -> None:
    media = {"schema": {"type": "string"}, "example": "Gone."}
    gone = {"description": "It is gone.", "content": {"text/plain": media}}
    edit_contract(lambda d: operation(d)["responses"].update({"404": gone}))
    result = run(diff)
    assert "**breaking**" not in result.out
    assert re.search(r"^- as the contract says: .*: headers: accept: ", result.out, re.MULTILINE)
    assert "VERSION=0.1.1`" in result.out


def test_an_operation_that_is_gone_is_told_in_one_line_of_each_client(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    edit_contract(lambda d: operation(d).update(operationId="buy"))
    lines = run(diff).out.partition("## On the wire\n\n")[2].partition("\n\n")[0]
    said = re.findall(r"^- .* \((a?sync)\): result: the call raises Attr.*$", lines, re.MULTILINE)
    assert said == ["sync", "async"]
    assert len(lines.splitlines()) == 2


def test_what_is_deprecated_says_so_where_callers_read(
    repository: Path, edit_contract: Callable[[Edit], None]
) -> None:
    def edit(document: dict[str, Any]) -> None:
        operation(document)["deprecated"] = True
        request(document)["properties"]["SmsUrl"]["deprecated"] = True

    edit_contract(edit)
    tag = (repository / "generated/signalwire_compat/api/phone_numbers/__init__.py").read_text()
    assert tag.count("Purchase a phone number for an account.\n\n        Deprecated.\n") == 2
    assert tag.count("a message to the number comes in. Deprecated.") == 2
    assert tag.count("Deprecated.") == 4


def test_a_class_that_is_no_longer_exported_breaks(repository: Path, run: Run) -> None:
    root = repository / "generated/signalwire_compat/__init__.py"
    replace(root, "    RateLimitError,\n", "")
    replace(root, '    "RateLimitError",\n', "")
    assert "**breaking**: RateLimitError: Public object was removed" in run(diff).out


def test_a_model_that_is_no_longer_there_breaks(repository: Path, run: Run) -> None:
    models = repository / "generated/signalwire_compat/models/__init__.py"
    replace(models, "    from .capabilities import Capabilities\n", "")
    replace(models, '    "Capabilities",\n', "")
    assert "**breaking**: models.Capabilities: Public object was removed" in run(diff).out


def test_the_base_is_the_last_release_or_what_is_named(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    git(repository, "tag", "v0.1.0")
    edit_contract(with_a_member)
    git(repository, "commit", "--quiet", "--all", "--message=next")
    assert run(diff).out.startswith("# Changes since v0.1.0\n")
    assert run(diff, "--base", "HEAD").status == 0
    wrong = run(diff, "--base", "nowhere")
    assert wrong.status == 1
    assert wrong.err.startswith("BASE=nowhere is no state to compare with (")
    assert len(wrong.err.splitlines()) == 1


def test_what_is_committed_on_main_is_compared_with_what_was_pushed(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    edit_contract(with_a_member)
    git(repository, "commit", "--quiet", "--all", "--message=next")
    result = run(diff)
    assert (result.status, result.out.splitlines()[0]) == (1, "# Changes since origin/main")
    assert "reply 201: new: added" in result.out
    assert run(release, "0.1.1") == (0, "", "")
    assert "reply 201: new: added" in (repository / "CHANGELOG.md").read_text("utf-8")


def test_what_is_compared_with_itself_is_not_told_as_nothing(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    edit_contract(with_a_member)
    assert "what is checked out" not in run(diff).out
    git(repository, "commit", "--quiet", "--all", "--message=next")
    said = "main is what is checked out, and nothing for callers was edited since.\n`make diff"
    assert said in run(diff).out
    history = (repository / "CHANGELOG.md").read_text("utf-8")
    refused = run(release, "0.1.1")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith(
        "There is no earlier state to draft section 0.1.1 from: name what"
    )
    assert (repository / "CHANGELOG.md").read_text("utf-8") == history
    assert run(release, "0.1.1", "HEAD~1") == (0, "", "")
    assert "reply 201: new: added" in (repository / "CHANGELOG.md").read_text("utf-8")


def test_a_shallow_clone_says_that_a_release_may_be_out_of_sight(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = repository.parent / "clone"
    source = f"file://{repository}"
    git(repository.parent, "clone", "--quiet", "--no-tags", "--depth=1", source, str(clone))
    monkeypatch.chdir(clone)
    result = run(diff)
    assert (result.status, result.out.splitlines()[0]) == (0, "# Changes since origin/main")
    assert "`git fetch --unshallow --tags` brings it" in result.err


def test_where_there_is_no_repository_there_is_nothing_to_compare(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(repository / ".git")
    assert run(diff) == (0, "There is no main branch or release here to compare with.\n", "")
    monkeypatch.setenv("PATH", str(repository))
    result = run(diff)
    assert (result.status, result.out) == (1, "")
    assert result.err == "git is needed to compare with another state: install it\n"


def test_a_package_that_is_not_of_this_contract_is_not_compared(repository: Path, run: Run) -> None:
    with (repository / "openapi.yaml").open("a", encoding="utf-8") as spec:
        spec.write("\tnothing: that can be read\n")
    for tool, arguments in ((diff, ()), (release, ("0.2.0",))):
        result = run(tool, *arguments)
        assert (result.status, result.out) == (1, "")
        assert "(moved: spec): run `make generate` first\n" in result.err
    assert 'version = "0.1.0"' in (repository / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("version", ['"0.2.0rc1"', '"0.2"', "2", '"0.2.0'])
def test_a_version_that_is_none_is_told_in_one_line(
    repository: Path, run: Run, version: str
) -> None:
    replace(repository / "pyproject.toml", 'version = "0.1.0"', f"version = {version}")
    result = run(diff)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("pyproject.toml of this tree has no version: ")
    assert len(result.err.splitlines()) == 1


def test_a_package_that_can_not_be_imported_is_told_with_its_reason(
    repository: Path, run: Run
) -> None:
    replace(
        repository / "generated/signalwire_compat/_encoding.py", "import json\n", "import jsno\n"
    )
    result = run(diff)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("the package of this tree can't be used: ")
    assert result.err.endswith("No module named 'jsno'\n")


def test_every_example_of_the_contract_is_played(contract: dict[str, Any]) -> None:
    played = recording.cases(contract)
    recorded = recording.record("signalwire_compat", played)
    assert len(recorded) == len(played) >= 5
    for case in played:
        both = recorded[case["name"]]
        assert both["sync"] == both["async"]
        assert len(both["sync"]["sent"]) == 1
        assert ("value" in both["sync"]["result"]) is (case["status"] < 300)


def test_a_version_above_1_follows_its_own_rules(
    repository: Path,
    edit_contract: Callable[[Edit], None],
) -> None:
    base = repository.parent / "base"
    shutil.copytree(repository, base, ignore=shutil.ignore_patterns(".git"))
    for folder in (base, repository):
        replace(folder / "pyproject.toml", 'version = "0.1.0"', 'version = "1.2.3"')
    for edit, wanted in ((with_a_member, (1, 3, 0)), (without_a_field, (2, 0, 0))):
        edit_contract(edit)
        assert diff.compare(diff.Tree(base), diff.Tree(repository)).wanted == wanted


def test_a_release_bumps_version_and_changelog(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    edit_contract(without_a_field)
    for version, problem in (
        ("", "VERSION= is no version"),
        ("1.2", "VERSION=1.2 is no version"),
        ("v0.2.0", "VERSION=v0.2.0 is no version"),
        ("0.2.0rc1", "VERSION=0.2.0rc1 is no version"),
        ("0.1.9", "VERSION=0.1.9 is too low for what changed: take 0.2.0 or higher"),
    ):
        before = (repository / "pyproject.toml").read_text("utf-8")
        refused = run(release, version)
        assert (refused.status, refused.out) == (1, "")
        assert refused.err.startswith(problem)
        assert (repository / "pyproject.toml").read_text("utf-8") == before
    assert run(release, "0.2.0") == (0, "", "")
    for project in (repository, repository / "mock_server"):
        assert 'version = "0.2.0"' in (project / "pyproject.toml").read_text("utf-8")
    changelog = (repository / "CHANGELOG.md").read_text("utf-8")
    assert changelog.index("## 0.2.0") < changelog.index("## 0.1.0")
    draft = "- api: phone_numbers.purchase: VoiceFallbackUrl: removed: the argument is gone.\n"
    assert f"## 0.2.0\n\n### Breaking\n\n{draft}\n## 0.1.0" in changelog
    assert run(diff).status == 0
    git(repository, "tag", "v0.2.0")
    assert "is released already" in run(release, "0.2.0").err


def test_a_section_that_was_never_released_is_that_of_the_next_version(
    repository: Path, edit_contract: Callable[[Edit], None], run: Run
) -> None:
    git(repository, "tag", "v0.1.0")
    edit_contract(without_a_field)
    file = repository / "CHANGELOG.md"
    assert run(release, "0.2.0").out == ""
    replace(file, "- api: ", "- api: (in the words of a caller) ")
    draft = file.read_text("utf-8")
    again = run(release, "0.2.0")
    assert again.out.startswith("CHANGELOG.md has a section 0.2.0 already, which stays: ")
    assert file.read_text("utf-8") == draft
    higher = run(release, "0.3.0")
    assert higher.out.startswith("The section 0.2.0 was never released, and is 0.3.0 now: ")
    assert file.read_text("utf-8") == draft.replace("## 0.2.0", "## 0.3.0", 1)
    git(repository, "commit", "--quiet", "--all", "--message=release")
    git(repository, "tag", "v0.3.0")
    assert run(release, "0.3.1").out == ""
    assert "\n## 0.3.1\n\n### Changed\n\n- Nothing for callers.\n\n## 0.3.0\n" in file.read_text(
        "utf-8"
    )
    # Released all the same, wherever its tag is.
    replace(file, "## 0.3.1", "## 0.4.0")
    git(repository, "tag", "v0.4.0")
    assert run(release, "0.4.1").out == ""
    assert re.findall(r"^## (.*)$", file.read_text("utf-8"), re.MULTILINE)[:3] == [
        "0.4.1",
        "0.4.0",
        "0.3.0",
    ]
