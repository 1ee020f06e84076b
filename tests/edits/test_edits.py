"""Any change of the contract works: generated, typed, called and reported by `make diff`."""

import functools
import gc
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import jsonschema_rs
import pydantic
import pytest
from signalwire_compat import models
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from codegen import generate
from contract_diff import recording
from contract_diff.example_calls import cases
from contract_diff.operations import changes
from contract_diff.python_api import compare_apis, read_api
from contract_diff.report import Differences
from tests.conftest import PROJECT, ROOT, only
from tests.edits import generated_package as packages
from tests.edits import helpers as words
from tests.edits.additions import ADDITIONS, CAT
from tests.edits.changes import CALLS, CHANGES
from tests.edits.helpers import BYTES, FILE, JSON, MULTIPART, Document, Refusal, Row
from tests.edits.refusals import REFUSED

ROWS = [*CHANGES, *ADDITIONS]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
CALLED = {row.name: row for row in ROWS if row.code}
# The modules of the package that no edit changes.
COPIED = sorted(
    {path.stem for path in (ROOT / "runtime").glob("*.py")} - {"__init__", "_call", "_client"}
)


Build = Callable[[words.Edit], ModuleType]


def ids(row: Row | Refusal) -> str:
    return row.name.replace(" ", "-")


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """Without this, a quarter of the time goes into scanning documents that stay in use."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def contract(contract: Document) -> Document:
    """Cut the contract to the purchase, so that an edit is about one operation."""
    return only(contract, "purchase")


@pytest.fixture
def build(contract: Document, tmp_path: Path, shared: Path) -> Build:
    """Generate the package of an edit in `tmp_path`, and import it."""
    return lambda edit: recording.load_package(
        packages.generated(packages.edited(edit, contract), tmp_path, shared)
    )


@pytest.fixture(scope="session")
def old(
    contract: Document, tmp_path_factory: pytest.TempPathFactory, shared: Path
) -> tuple[list[dict[str, Any]], dict[str, Any], Any]:
    """Make cases of the contract, record its package with them, and read its names."""
    package = packages.generated(contract, tmp_path_factory.mktemp("old"), shared)
    played = cases(contract)
    return (
        played,
        recording.record(recording.load_package(package), played),
        read_api(package.parent),
    )


def test_no_two_edits_of_the_table_have_one_name() -> None:
    names = [*(row.name for row in ROWS), *(refusal.name for refusal in REFUSED)]
    assert len(set(names)) == len(names) >= 220
    assert len(CALLED) >= 90


def sampled(rows: Iterable[Row]) -> list[Any]:
    """Give every third row to `make test`, and all of them to `make test-all`."""
    slow = pytest.mark.slow
    return [pytest.param(row, marks=slow if n % 3 else ()) for n, row in enumerate(rows)]


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_an_edit_of_the_contract_is_reported_with_its_verdict(contract: Document, row: Row) -> None:
    before = packages.edited(row.base, contract)
    found = changes(before, packages.edited(row.edit, before))
    verdicts = [f"{'breaking' if c.breaking else 'compatible'} {c.kind}" for c in found]
    assert sorted(verdicts) == sorted(filter(None, row.says.split(", ")))
    assert all(re.fullmatch(r"\S.*: \w+: \S.*", str(change)) for change in found)


@pytest.mark.parametrize("row", sampled(CALLED.values()), ids=ids)
def test_the_package_of_an_edited_contract_can_be_called(
    contract: Document, tmp_path: Path, build: Build, old: Any, row: Row
) -> None:
    played, recorded, old_api = old
    module = build(row.edit)
    for name in {*module.models.__all__} - {*models.__all__}:
        written = pydantic.TypeAdapter(getattr(module.models, name)).json_schema()
        jsonschema_rs.meta.validate({"$schema": DIALECT, **written})
    sent = packages.call(row, module, tmp_path / "openapi.yaml")
    assert [line for line, _ in sent] == row.sent.splitlines()
    headers = [f"{name}: {value}" for name, value in sent[0][1]] if sent else []
    assert not row.header or row.header in headers
    assert not row.lacks or row.lacks not in dict(sent[0][1])
    found = Differences(
        changes(contract, packages.edited(row.edit, contract)),
        compare_apis(old_api, read_api(tmp_path)),
        recording.differences(recorded, recording.record(module, played)),
    )
    assert found.breaking is ("breaking" in row.says or row.breaks_names), found
    assert bool(found.python) >= row.breaks_names


@pytest.mark.parametrize("row", sampled(CALLS), ids=ids)
def test_the_packages_before_and_after_a_change_of_a_call_break_as_reported(
    contract: Document, tmp_path: Path, shared: Path, row: Row
) -> None:
    before = packages.edited(row.base, contract)
    documents = before, packages.edited(row.edit, before)
    played = cases(before)
    recorded, apis = [], []
    for number, document in enumerate(documents):
        package = packages.generated(document, tmp_path / str(number), shared)
        recorded.append(recording.record(recording.load_package(package), played))
        apis.append(read_api(package.parent))
    found = Differences(changes(*documents), compare_apis(*apis), recording.differences(*recorded))
    assert found.breaking is ("breaking" in row.says or row.breaks_names), found
    assert bool(found.python) >= row.breaks_names


def test_what_a_repeated_arguments_is_reported_in_words(contract: Document) -> None:
    rules = {"sid": {"argument": "AccountSid", "compare": "exact"}}
    edit = words.change("purchase", **{"x-reply-repeats": rules})
    found = changes(contract, packages.edited(edit, contract))
    place, what = "phone_numbers.purchase: reply: ", "changed: the argument that it must repeat: "
    assert [*map(str, found)] == [
        f"{place}phone_number: {what}PhoneNumber (compared by digits) became none",
        f"{place}sid: {what}none became AccountSid (compared exactly)",
    ]


def test_a_reply_about_another_path_or_query_is_refused(build: Build) -> None:
    module = build(CALLED["replies that repeat arguments"].edit)
    said: list[dict[str, Any]] = []
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=said.pop()))
    with httpx.Client(transport=transport) as http_client:
        client = module.RestClient(PROJECT, "token", "localhost", http_client=http_client)
        for good in ({"sid": "a", "size": 3}, {"sid": "a", "size": 3.0}, {"sid": "a"}):
            said.append(good)
            assert client.compat.things.try_it(Sid="a", Size=3).sid == "a"
        for other, words in (
            ({"sid": "b", "size": 3}, "another Sid: asked for 'a', got 'b'"),
            ({"sid": "a", "size": 30}, "another Size: asked for 3, got 30"),
        ):
            said.append(other)
            with pytest.raises(module.APIResponseError, match=words) as caught:
                client.compat.things.try_it(Sid="a", Size=3)
            assert not caught.value.outcome_unknown


def test_a_recursive_schema_is_checked_at_every_depth_by_client_mock_and_replies(
    tmp_path: Path, build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    module = build(CALLED["a recursive schema"].edit)
    deep: Any = {"name": "much too long"}
    for way in ("root", "next", "twigs", "named", "branch"):
        inner = {"twigs": [deep], "named": {"x": deep}, "branch": {"tree": deep}}.get(way, deep)
        deep = {"name": "a", way: inner}
    where = "branch.tree.named.x.twigs[0].next.root.name must be text of 0 to 3 characters"
    with (
        MockServer(tmp_path / "openapi.yaml") as mock,
        module.RestClient(PROJECT, DEFAULT_TOKEN, mock.url, max_retries=0) as client,
    ):
        things = client.compat.things
        with pytest.raises(module.InvalidRequestError, match=re.escape(where)):
            things.try_it(**deep)
        tree = module.models.Tree
        with pytest.raises(module.InvalidRequestError, match="nested"):
            functools.reduce(lambda root, _: tree(name="a", root=root), range(5000), module.UNSET)
        assert mock.journal == []
        url = f"{mock.url}/api/laml/2010-04-01/things"
        refused = httpx.post(url, json=deep, auth=(PROJECT, DEFAULT_TOKEN))
        assert refused.status_code == 400
        assert "branch/tree/named/x/twigs/0/next" in refused.json()["message"]
        with mock.answering(lambda answer: replace(answer, body=json.dumps(deep).encode())):
            assert things.try_it(name="a").to_dict() == deep
        assert "/branch/tree/named/x/twigs/0/next/root/name: expected text of 0" in caplog.text
        endless = b'{"root":' * 50_000 + b"0" + b"}" * 50_000
        with (
            mock.answering(lambda answer: replace(answer, body=endless)),
            pytest.raises(module.APIResponseError, match="nested too deep"),
        ):
            things.try_it(name="a")


def test_a_difference_on_the_wire_is_seen_in_any_content_type(
    contract: Document, tmp_path: Path, shared: Path
) -> None:
    medias = {
        MULTIPART: {"schema": words.ref("Photo"), "example": {"image": "a", "more": ["b", "c"]}},
        JSON: {"schema": words.ref("Cat"), "example": {"purrs": True}},
        BYTES: {"schema": FILE, "example": "d"},
    }
    edit = words.adds(
        method="post",
        schemas={"Photo": words.object_of(image=FILE, more=words.list_of(FILE)), "Cat": CAT},
        requestBody={"description": "A thing.", "required": True, "content": medias},
        responses={"200": words.reply(words.text(), "it is done", "text/plain")},
    )
    document = packages.edited(edit, contract)
    package = packages.generated(document, tmp_path / "old", shared)
    changed = Path(shutil.copytree(package, tmp_path / "new" / package.name))
    module = changed / "_multipart.py"
    module.write_text(module.read_text("utf-8").replace('or "upload"', 'or "file"'), "utf-8")
    played = [case for case in cases(document) if case["tag"] == "things"]
    assert [case["name"].split(", ")[1] for case in played] == [f"example as {k}" for k in medias]
    before, again, after = (
        recording.record(recording.load_package(folder), played)
        for folder in (package, package, changed)
    )
    assert {ways["sync"]["result"]["value"] for ways in before.values()} == {"'it is done'"}
    assert recording.differences(before, again) == []
    seen = recording.differences(before, after)
    place = f"things.try_it, example as {MULTIPART}, 200 example (sync): sent"
    assert [line.rpartition(": ")[0].startswith(place) for line in seen] == [True, True], seen
    assert [line.split(": ")[2] for line in seen] == ["body", "headers"]


@pytest.mark.parametrize("step", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_every_edited_package_is_strictly_typed(
    contract: Document, tmp_path: Path, shared: Path, step: int
) -> None:
    for number, row in enumerate([*CALLED.values()][::step]):
        document = packages.edited(row.edit, contract)
        package = packages.generated(document, tmp_path / "new", shared)
        package = package.rename(tmp_path / f"edit_{number}")
        for name in (f"{name}.py" for name in COPIED if number):
            same = tmp_path / "edit_0" / name
            assert (package / name).read_bytes() == same.read_bytes()
            # mypy need not check again what it has checked in the first package.
            (package / name).unlink()
            stub = f"from edit_0.{name.removesuffix('.py')} import *\n"
            (package / f"{name}i").write_text(stub, "utf-8")
        calls = packages.calling_module(row, f"edit_{number}")
        (tmp_path / f"calls_{number}.py").write_text(calls, "utf-8")
    (tmp_path / "new" / "openapi.yaml").unlink()
    cache = f"--cache-dir={tmp_path / '.cache'}"
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", cache, "."],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("refusal", REFUSED, ids=ids)
def test_an_edit_that_the_client_can_not_express_is_refused_with_its_place(
    contract: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str], refusal: Refusal
) -> None:
    document = packages.edited(refusal.edit, contract)
    spec = packages.write_spec(document, tmp_path / "openapi.yaml")
    assert generate.main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    lines = [line for line in told.splitlines() if line.startswith(f"{spec}:")]
    found = [line for line in lines if all(word in line for word in refusal.words)]
    assert re.match(rf"{re.escape(str(spec))}:[1-9]\d*:\d+: ", "".join(found)), told
    assert not (tmp_path / "out").exists()
    assert " at 0x" not in told
