"""`make fuzz` itself: it takes in what is new, turns red for a bug, and says how to replay it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import run_fuzz
import yaml
from conftest import ROOT

FOLDERS = ("generated", "mock_server", "templates", "tests", "tools")
FILES = ("generator-config.yml", "openapi.yaml", "pyproject.toml", "schemathesis.toml")
SECOND = """
/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}/Notes:
  parameters:
    - $ref: "#/components/parameters/AccountSid"
    - name: Sid
      in: path
      description: SID of the number.
      required: true
      schema: {type: string, description: SID of the number.}
      example: abc
  post:
    operationId: annotate
    tags: [phone_numbers]
    summary: Add a note to a number
    description: Adds a note.
    x-source: the test
    externalDocs: {url: https://example.com}
    security: [{ProjectToken: []}]
    parameters:
      - name: Limit
        in: query
        description: How many to keep.
        required: false
        schema: {type: integer, minimum: 1, description: How many to keep.}
      - name: Kinds
        in: query
        description: Of which kinds.
        required: false
        schema: {type: array, items: {type: string}, description: Of which kinds.}
    requestBody:
      description: The note.
      required: true
      content:
        application/json:
          schema: {$ref: "#/components/schemas/Capabilities"}
    responses:
      "200":
        description: What the number can do now.
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Capabilities"}
      "400": {$ref: "#/components/responses/Refused"}
      "401": {$ref: "#/components/responses/Refused"}
"""
REFUSED = """
description: Refused.
content:
  application/json:
    schema: {$ref: "#/components/schemas/Error"}
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what a run needs, so that a test can spoil it."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def fuzz(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    paths = [str(folder / "generated"), str(folder / "mock_server")]
    own = {"PYTHONPATH": os.pathsep.join(paths), "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}
    return subprocess.run(
        [sys.executable, "tools/run_fuzz.py"],
        cwd=folder,
        env={**os.environ, **own, **settings},
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_new_operation_is_fuzzed_with_no_test_touched(copy: Path) -> None:
    spec = copy / "openapi.yaml"
    document = yaml.safe_load(spec.read_text("utf-8"))
    document["paths"].update(yaml.safe_load(SECOND))
    document["components"]["responses"] = {"Refused": yaml.safe_load(REFUSED)}
    spec.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    subprocess.run([sys.executable, "tools/generate.py"], cwd=copy, check=True)
    result = fuzz(copy, FUZZ_EXAMPLES="8", FUZZ_ONLY="not twin")
    assert result.returncode == 0, result.stdout[-4000:]
    lines = [line for line in result.stdout.splitlines() if "Notes" in line or "/annotate/" in line]
    for run in ("client", "replies"):
        counts = [re.search(rf"passed {run} +([0-9]+) cases", line) for line in lines]
        assert sum(int(found[1]) for found in counts if found) >= 50, lines
    assert "covered: 2/2 operations, 7/7 parameters" in result.stdout


def test_a_bug_turns_the_run_red_and_a_printed_line_replays_it(copy: Path) -> None:
    model = copy / "generated" / "signalwire_compat" / "models" / "purchase_request.py"
    text = model.read_text("utf-8")
    assert '"SmsUrl": self.sms_url' in text
    model.write_text(text.replace('"SmsUrl": self.sms_url', '"SmsUrl": self.voice_url'), "utf-8")
    budget = {"FUZZ_SEED": "7", "FUZZ_EXAMPLES": "40"}
    result = fuzz(copy, **budget, FUZZ_ONLY="test_a_valid_case and valid_4")
    assert result.returncode == 1
    for words in ("shortest case: Case(", "curl -X POST", "seed: 7; first seen at case "):
        assert words in result.stdout, result.stdout[-4000:]
    found = re.search(r"make fuzz FUZZ_SEED=7 FUZZ_EXAMPLES=40 FUZZ_ONLY='(.*)'", result.stdout)
    assert found is not None
    again = fuzz(copy, **budget, FUZZ_ONLY=found[1])
    shortest = [re.findall("shortest case: .*", run.stdout) for run in (result, again)]
    assert again.returncode == 1
    assert shortest[0] == shortest[1] != []


@pytest.mark.parametrize(
    ("settings", "statuses", "rounds"),
    [
        ({}, [0], [(1, 1500)]),
        ({"FUZZ_SEED": "7", "FUZZ_EXAMPLES": "9"}, [1], [(7, 9)]),
        ({"FUZZ_SECONDS": "6"}, [0], [(1, 150)]),
        ({"FUZZ_SECONDS": "150", "FUZZ_SEED": "5"}, [0] * 3, [(5, 1500), (6, 1500), (7, 1500)]),
        ({"FUZZ_SECONDS": "9999"}, [0, 1], [(1, 1500), (2, 1500)]),
    ],
)
def test_rounds_have_seeds_of_their_own_until_one_fails_or_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    statuses: list[int],
    rounds: list[tuple[int, int]],
) -> None:
    for name in ("FUZZ_SEED", "FUZZ_EXAMPLES", "FUZZ_SECONDS", "FUZZ_ONLY"):
        monkeypatch.setenv(name, settings.get(name, ""))
    seen: list[tuple[int, int]] = []

    def run_round(seed: int, examples: int, _: str) -> int:
        seen.append((seed, examples))
        return statuses[len(seen) - 1]

    monkeypatch.setattr(run_fuzz, "run_round", run_round)
    monkeypatch.setattr("time.monotonic", lambda: 60 * len(seen))
    assert run_fuzz.main() == statuses[-1]
    assert seen == rounds


@pytest.mark.parametrize("name", ["FUZZ_EXAMPLES", "FUZZ_SECONDS", "FUZZ_SEED"])
def test_a_setting_that_is_no_number_is_named(name: str) -> None:
    result = fuzz(ROOT, **{name: "many"})
    assert result.returncode == 1
    assert result.stderr == (f"{name} is 'many': give a whole number, such as make fuzz {name}=1\n")
