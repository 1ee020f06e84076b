"""The pages of docs/ show what happens, name what there is, and link to what is there."""

import ast
import contextlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import signalwire_compat
from signalwire_compat import APIStatusError, RestClient
from signalwire_compat.api.phone_numbers import PhoneNumbers
from signalwire_compat_mock import MockServer

from codegen.document import resolved
from scripts.build_docs import CONFIG, contract_page
from tests.conftest import PROJECT, ROOT, operations
from tests.docs.conftest import Execute, blocks

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKED = [*PAGES, ROOT / "README.md", ROOT / "mock_server" / "README.md"]
BLOCKS = [
    pytest.param(code, id=f"{path.stem}-{number}")
    for path in PAGES
    for number, code in enumerate(blocks(path, "python"))
]


@pytest.mark.parametrize("code", BLOCKS)
def test_every_python_block_of_the_docs_runs_against_the_mock(
    code: str, mock: MockServer, client: RestClient, execute: Execute
) -> None:
    # A block without imports is a piece of a program that has them, and a client.
    names = {} if "import" in code else {**vars(signalwire_compat), "client": client}
    ended = execute(code, "+15551234567", environment=mock.environment, names=names)
    assert ended.status == 0


@pytest.mark.parametrize("path", LINKED, ids=lambda path: path.parent.name + "-" + path.name)
def test_every_link_within_the_repository_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_page_about_moving_says_where_each_argument_of_twilio_goes() -> None:
    page = (ROOT / "docs" / "migrating.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", page, re.MULTILINE))
    gone = re.findall(r"`(\w+)`", page.rpartition("the API documents nothing for ")[2])
    # twilio-python 9 takes this many; what it does not take, nobody brings along.
    assert len({*rows, *gone}) == len(rows) + len(gone) == 24
    purchase = RestClient(PROJECT, "t", "localhost").compat.phone_numbers.purchase
    ours = inspect.signature(purchase).parameters
    snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): name for name in ours}
    wanted = {old: name for old, name in snake.items() if old in {*rows, *gone}}
    assert rows == wanted, (
        "docs/migrating.md: what purchase() takes is a row of the last table, such as"
        " | `sms_url` | `SmsUrl` |, and what it does not take stands in the sentence below"
    )


def test_the_calls_of_the_page_about_moving_are_calls_of_this_client() -> None:
    page = (ROOT / "docs" / "migrating.md").read_text("utf-8")
    cells = re.findall(r"^\|.*\| ([^|]+) \|$", page, re.MULTILINE)
    methods = dict(inspect.getmembers(PhoneNumbers, inspect.isfunction))
    found = set()
    codes = (code for cell in cells for code in re.findall(r"`([^`]+\)[\w.]*)`", cell))
    calls = (node for code in codes for node in ast.walk(ast.parse(code)))
    for call in (node for node in calls if isinstance(node, ast.Call)):
        name = ast.unparse(call.func).rpartition(".")[2]
        if name in methods:
            given = {str(keyword.arg): keyword.value for keyword in call.keywords}
            inspect.signature(methods[name]).bind("self", *call.args, **given)
            found.add(name)
    assert found == {name for name in methods if not name.startswith("_")}


@pytest.mark.parametrize("name", ["guide.md", "migrating.md"])
def test_the_page_names_every_operation_of_a_phone_number(
    contract: dict[str, Any], name: str
) -> None:
    page = (DOCS / name).read_text("utf-8")
    names = operations(contract)
    assert [each for each in names if not re.search(rf"[`.]{each}[`(]", page)] == []


def test_every_call_of_the_contract_page_reaches_the_mock(
    contract: dict[str, Any], mock: MockServer, client: RestClient
) -> None:
    page = contract_page(contract)
    for code in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        with contextlib.suppress(APIStatusError):
            exec(code, {"client": client})  # noqa: S102  # it is what a reader would run
    called = [exchange.operation_id for exchange in mock.journal]
    assert called == operations(contract)
    assert page.count("??? example") >= 4 * len(called)


def test_the_contract_page_names_all_that_the_contract_does(contract: dict[str, Any]) -> None:
    page = contract_page(contract)
    schemas = contract["components"]["schemas"]
    for name, schema in schemas.items():
        section = page.partition(f"\n### {name}\n")[2].partition("\n#")[0]
        assert section
        assert all(f"`{value}`" in section for value in schema.get("enum", ()))
        for member, value in schema.get("properties", {}).items():
            (row,) = re.findall(rf"^\| `{member}` \|.*$", section, re.MULTILINE)
            for kind, code in value.get("x-error-codes", {}).items():
                assert f"If {kind}: error {code}." in row
            if "default" in value:
                assert f"Default `{value['default']}`." in row
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            section = page.partition(f"\n## {operation['operationId']}\n")[2].partition("\n## ")[0]
            assert f"`{method.upper()} {path}`" in section
            for parameter in operation["parameters"]:
                found = resolved(contract, parameter)
                (row,) = re.findall(rf"^\| `{found['name']}` \|.*$", section, re.MULTILINE)
                assert found["description"] in row
                if "default" in found["schema"]:
                    assert f"Default `{found['schema']['default']}`." in row
            for status, reply in operation["responses"].items():
                found = resolved(contract, reply)
                (row,) = re.findall(rf"^\| {status} \|.*$", section, re.MULTILINE)
                assert found["description"] in row
                assert ("](#" in row) == ("content" in found)
    for code, entry in schemas["Error"]["x-error-codes"].items():
        assert f"| {code} | {entry['status']} | `{entry['category']}` |" in page
    headings = {heading.lower() for heading in re.findall(r"^#+ (\S+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings
    assert {"purchase", "incoming_call_status"} <= headings


def test_every_page_of_the_docs_has_its_place_in_the_navigation() -> None:
    nav = tomllib.loads(CONFIG.read_text("utf-8"))["project"]["nav"]
    placed = set(re.findall(r"'([\w/-]+\.md)'", str(nav)))
    assert {path.relative_to(DOCS).as_posix() for path in PAGES} <= placed
