"""Any change of the contract works: generated, typed, called and told by `make diff`."""

import copy
import functools
import gc
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from codegen import generate
from contract_diff import __main__ as diff
from contract_diff import recording
from contract_diff.operations import changes
from tests.conftest import PROJECT, ROOT
from tests.edits import package as running
from tests.edits.rows import CAT, REFUSED, ROWS, Refusal, Row
from tests.edits.words import (
    BYTES,
    FILE,
    JSON,
    MULTIPART,
    adds,
    object_of,
    ref,
    reply,
    text,
)

_numbers = itertools.count()
COPIED = sorted({path.stem for path in (ROOT / "runtime").glob("*.py")} - {"_call", "_client"})
"""The modules of the package that no edit changes."""


@pytest.fixture(autouse=True)
def no_search_for_garbage() -> Iterator[None]:
    """Half of the time went into looking trees over that are in use to the end of the test."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def played(contract: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the cases that are played through the old package and through each new one."""
    return recording.cases(contract)


@pytest.fixture(scope="session")
def recorded(played: list[dict[str, Any]]) -> dict[str, Any]:
    """Record the old package."""
    return recording.record("signalwire_compat", played)


@pytest.fixture(scope="session")
def python_api() -> Any:
    """Read the names of the old package."""
    return diff.python_api(ROOT / "generated")


def test_no_two_edits_of_the_table_have_one_name() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_an_edit_of_the_contract_can_be_called_and_is_told(
    contract: dict[str, Any],
    tmp_path: Path,
    shared: Path,
    played: list[dict[str, Any]],
    recorded: dict[str, Any],
    python_api: Any,
    row: Row,
) -> None:
    document = running.edited(contract, row)
    package = running.generated(document, tmp_path, shared)
    name = f"edit_{next(_numbers)}"
    sent = running.called(row, package, name)
    assert [line for line, _ in sent] == row.sent.splitlines()
    assert not row.header or row.header in [f"{name}: {value}" for name, value in sent[0][1]]
    found = changes(contract, document)
    assert sorted((change.kind, change.breaking) for change in found) == sorted(row.expected)
    python = diff.python_changes(python_api, diff.python_api(tmp_path))
    on_wire = recording.differences(recorded, recording.record(name, played))
    report = diff.Report(found, python, on_wire, wanted=(), version=(), described=True)
    breaking = any(breaks for _, breaks in row.expected) or row.breaks_names
    assert report.breaking is breaking, (python, report.unexplained)
    assert bool(python) >= row.breaks_names


def test_a_wrong_host_is_told_the_further_servers(
    contract: dict[str, Any], tmp_path: Path, shared: Path
) -> None:
    (row,) = (row for row in ROWS if row.name == "a second server")
    package = running.generated(running.edited(contract, row), tmp_path, shared)
    module = running.imported(package, f"edit_{next(_numbers)}")
    with pytest.raises(ValueError, match="Documented as well: https://eu"):
        module.RestClient(PROJECT, "token", "not a host")


def test_a_schema_that_holds_itself_is_kept_to_five_levels_deep_by_client_mock_and_replies(
    contract: dict[str, Any], tmp_path: Path, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (row,) = (row for row in ROWS if row.name == "a schema that holds itself")
    package = running.generated(running.edited(contract, row), tmp_path, shared)
    module = running.imported(package, f"edit_{next(_numbers)}")
    deep: Any = {"name": "much too long"}
    for way in ("root", "next", "twigs", "named", "branch"):
        inner = {"twigs": [deep], "named": {"x": deep}, "branch": {"tree": deep}}.get(way, deep)
        deep = {"name": "a", way: inner}
    where = "branch.tree.named.x.twigs[0].next.root.name must be text of 0 to 3 characters"
    with (
        MockServer(package.parent / "openapi.yaml") as mock,
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
    contract: dict[str, Any], tmp_path: Path, shared: Path
) -> None:
    document = copy.deepcopy(contract)
    examples = {
        MULTIPART: {"image": "a", "more": ["b", "c"]},
        JSON: {"purrs": True},
        BYTES: "d",
    }
    schemas_ = {MULTIPART: ref("Photo"), JSON: ref("Cat"), BYTES: FILE}
    content = {
        kind: {"schema": schemas_[kind], "example": value} for kind, value in examples.items()
    }
    photo = object_of(image=FILE, more={"type": "array", "items": FILE})
    body = {"description": "A thing.", "required": True, "content": content}
    texts = {"200": reply(text(), "it is done", "text/plain")}
    adds(method="post", schemas={"Photo": photo, "Cat": CAT}, requestBody=body, responses=texts)(
        document
    )
    package = running.generated(document, tmp_path / "old", shared)
    spoilt = Path(shutil.copytree(package, tmp_path / "new" / package.name))
    module = spoilt / "_encoding.py"
    module.write_text(module.read_text("utf-8").replace('or "upload"', 'or "file"'), "utf-8")
    played = [case for case in recording.cases(document) if case["tag"] == "things"]
    recordings = []
    for folder in (package, package, spoilt):
        running.imported(folder, name := f"edit_{next(_numbers)}")
        recordings.append(recording.record(name, played))
    assert [case["name"].split(", ")[1] for case in played] == [f"example as {k}" for k in content]
    for ways in recordings[0].values():
        assert ways["sync"]["result"] == {"type": "str", "value": "'it is done'"}
    assert recording.differences(*recordings[:2]) == []
    seen = recording.differences(recordings[0], recordings[2])
    place = f"things.try_it, example as {MULTIPART}, 200 example (sync): sent"
    assert [line.startswith(f"{place}: ") for line in seen] == [True, True], seen
    assert [line.split(": ")[2] for line in seen] == ["body", "headers"]


def test_every_edited_package_is_strictly_typed(
    contract: dict[str, Any], tmp_path: Path, shared: Path
) -> None:
    for number, row in enumerate(ROWS):
        package = running.generated(running.edited(contract, row), tmp_path / "new", shared)
        package = package.rename(tmp_path / f"edit_{number}")
        for name in (f"{name}.py" for name in COPIED if number):
            same = tmp_path / "edit_0" / name
            assert (package / name).read_bytes() == same.read_bytes()
            # Once is enough: mypy takes what it found in the first package.
            (package / name).unlink()
            stub = f"from edit_0.{name.removesuffix('.py')} import *\n"
            (package / f"{name}i").write_text(stub, "utf-8")
        (tmp_path / f"use_{number}.py").write_text(running.user(row, f"edit_{number}"), "utf-8")
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


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: refusal.name.replace(" ", "-"))
def test_what_the_client_can_not_express_is_refused_with_its_place(
    contract: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    refusal: Refusal,
) -> None:
    document = copy.deepcopy(contract)
    refusal.edit(document)
    spec = running.written(document, tmp_path / "openapi.yaml")
    assert generate.main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(rf"{re.escape(str(spec))}:[1-9]\d*:\d+: ", line), line
    assert [word for word in refusal.words if word not in line] == [], line
    assert not (tmp_path / "out").exists()
    assert " at 0x" not in line
