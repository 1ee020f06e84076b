"""`make fuzz` itself: it takes in what is new, turns red for a bug, and says how to replay it."""

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from signalwire_compat_fuzz import __main__ as run_fuzz
from signalwire_compat_fuzz.case_sources import operations, spec
from signalwire_compat_fuzz.contract_coverage import Coverage
from signalwire_compat_fuzz.document import DOCUMENT
from signalwire_compat_fuzz.near_valid import changed, valid_case

from scripts.try_generator import copy_project
from tests.conftest import ROOT, only
from tests.fuzz_proof import __main__ as proof
from tests.fuzz_proof.bugs import BUGS, Bug
from tests.fuzz_proof.copies import add_second_operation, edit_document, generate, run_python


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy_project(tmp_path)
    return tmp_path


def fuzz(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_python(folder, "-m", "signalwire_compat_fuzz", **settings)


def keep_some(document: dict[str, Any]) -> None:
    document["paths"] = only(document, "list", "purchase", "import_number")["paths"]


@pytest.mark.parametrize(
    ("chosen", "covered"),
    [
        ("odd_member and not detailed", "4/4 operations"),
        pytest.param(
            "schemathesis or odd_member or valid_1 or documented_1",
            "4/4 operations, 18/18 parameters",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_new_operation_is_fuzzed_with_no_test_touched(
    folder: Path, chosen: str, covered: str
) -> None:
    edit_document(folder, keep_some)  # The others would take long.
    edit_document(folder, add_second_operation)
    generate(folder, checked=False)  # Some components are not used now.
    result = fuzz(folder, FUZZ_EXAMPLES="15", FUZZ_ONLY=chosen)
    assert result.returncode == 0, result.stdout[-4000:]
    lines = [line for line in result.stdout.splitlines() if "Notes" in line or "/annotate/" in line]
    for part in ("client", "replies"):
        counts = [re.search(rf"passed {part} +([0-9]+) cases", line) for line in lines]
        assert sum(int(found[1]) for found in counts if found) >= 20, lines
    assert f"covered: {covered}" in result.stdout


def test_a_bug_turns_the_run_red_and_a_printed_line_replays_it(folder: Path) -> None:
    settings = {
        "FUZZ_PROOF_BUG": "client: two fields are swapped",
        "PYTEST_ADDOPTS": "-p tests.fuzz_proof.bugs",
        "FUZZ_SEED": "7",
        "FUZZ_EXAMPLES": "40",
    }
    result = fuzz(folder, **settings, FUZZ_ONLY="test_a_valid_case and valid_4")
    assert result.returncode == 1
    for words in (
        "shortest case: Case(",
        "curl -X POST -H 'Authorization: Basic ",
        "seed: 7; first seen at case ",
    ):
        assert words in result.stdout, result.stdout[-4000:]
    found = re.search(r"make fuzz FUZZ_SEED=7 FUZZ_EXAMPLES=40 FUZZ_ONLY='(.*)'", result.stdout)
    assert found
    again = fuzz(folder, **settings, FUZZ_ONLY=found[1])
    shortest = [re.findall("shortest case: .*", run.stdout) for run in (result, again)]
    assert again.returncode == 1
    assert shortest[0] == shortest[1] != []


def test_a_keyword_counts_as_tried_once_a_case_breaks_it() -> None:
    coverage = Coverage()
    before = coverage.gaps()
    found = operations(spec())
    purchase = next(o for o in found if o.definition.raw["operationId"] == "purchase")
    case = valid_case(purchase)
    coverage.record(changed(case, body={"PhoneNumber": "1"}), None)
    coverage.record(changed(case, body={"VoiceMethod": "PUT"}), None)
    tried = {gap.partition("schemas/")[2] for gap in {*before} - {*coverage.gaps()}}
    number = "PurchaseRequest/properties/PhoneNumber"
    of_number = {f"{number}/pattern", f"{number}/minLength"}
    assert tried == {*of_number, "PurchaseRequest/required", "HttpMethod/enum"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chosen", "status", "missing"),
    [
        ("refused_as_the_document or each_documented or invalid_1", 0, []),
        ("valid_3 and not invalid_3", 1, ["short/maxLength"]),
    ],
)
def test_the_run_turns_red_when_a_keyword_of_a_form_was_not_tried(
    folder: Path, chosen: str, status: int, missing: list[str]
) -> None:
    forms = yaml.safe_load((Path(__file__).with_name("forms.yaml")).read_text("utf-8"))

    def replace(document: dict[str, Any]) -> None:
        document["paths"] = forms["paths"]
        document["components"]["schemas"].update(forms["schemas"])

    edit_document(folder, replace)
    generate(folder, checked=False)
    command = (
        "-m",
        "pytest",
        "fuzzer/signalwire_compat_fuzz/suite",
        "-q",
        "-p",
        "no:randomly",
        "-k",
        chosen,
    )
    result = run_python(folder, *command, FUZZ_REPORT="all", FUZZ_EXAMPLES="100")
    assert result.returncode == status, result.stdout[-4000:]
    gaps = re.findall("not covered: keyword .*/properties/(.*)", result.stdout)
    assert {*missing} <= {*gaps}
    assert bool(gaps) == bool(missing)


@pytest.mark.parametrize(
    ("settings", "ended", "rounds", "status"),
    [
        ({}, [(0, True)], [(1, 0)], 0),
        ({"FUZZ_SEED": "7"}, [(1, True)], [(7, 0)], 1),
        ({"FUZZ_SECONDS": "9"}, [(0, True)], [(1, 9)], 0),
        ({"FUZZ_SECONDS": "9"}, [(0, False)], [(1, 9)], 2),
        ({"FUZZ_SECONDS": "9"}, [(-1, True)], [(1, 9)], 2),
        (
            {"FUZZ_SECONDS": "150", "FUZZ_SEED": "5"},
            [(0, False), (0, True), (0, False)],
            [(5, 150), (6, 90), (7, 30)],
            0,
        ),
        ({"FUZZ_SECONDS": "9999"}, [(0, True), (1, True)], [(1, 9999), (2, 9939)], 1),
    ],
)
def test_rounds_have_seeds_of_their_own_until_one_fails_or_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    settings: dict[str, str],
    ended: list[tuple[int, bool]],
    rounds: list[tuple[int, int]],
    status: int,
) -> None:
    for name in ("FUZZ_SEED", "FUZZ_EXAMPLES", "FUZZ_SECONDS", "FUZZ_ONLY", "FUZZ_ARGUMENTS"):
        monkeypatch.setenv(name, settings.get(name, ""))
    monkeypatch.chdir(tmp_path)
    Path("openapi.yaml").write_text("openapi: 3.1.0\npaths: {/: {get: {responses: {}}}}", "utf-8")
    seen: list[tuple[int, int]] = []

    def run_round(seed: int, seconds: int) -> tuple[int, bool]:
        seen.append((seed, seconds))
        return ended[len(seen) - 1]

    monkeypatch.setattr(run_fuzz, "run_round", run_round)
    monkeypatch.setattr("time.monotonic", lambda: 60 * len(seen))
    assert run_fuzz.main([]) == status
    assert seen == rounds


@pytest.mark.parametrize(
    ("name", "least"), [("FUZZ_EXAMPLES", 1), ("FUZZ_SECONDS", 0), ("FUZZ_SEED", 0)]
)
def test_a_setting_that_is_not_a_number_is_named(name: str, least: int) -> None:
    result = fuzz(ROOT, **{name: "many"})
    assert result.returncode == 2
    assert (
        result.stderr
        == f"signalwire-compat-fuzz: {name} is 'many': give a whole number from {least}\n"
    )


def test_every_bug_of_the_proof_can_be_planted() -> None:
    assert len({(bug.place, bug.name) for bug in BUGS}) == len(BUGS) >= 160
    plant_all = "from tests.fuzz_proof.bugs import BUGS; [b.plant() for b in BUGS if b.plant]"
    # In a process of its own: the bugs stay where they are planted.
    subprocess.run([sys.executable, "-c", plant_all], cwd=ROOT, check=True)
    document = copy.deepcopy(DOCUMENT)
    add_second_operation(document)
    for bug in BUGS:
        if bug.edit:
            edited = copy.deepcopy(document)
            bug.edit(edited)
            assert edited != document, bug.name


HARMLESS = """
from signalwire_compat import RestClient, UnprocessableEntityError
from signalwire_compat_mock import DEFAULT_PROJECT, DEFAULT_TOKEN, MockServer
from tests.fuzz_proof import seams

seams.requests(lambda request: {})()
seams.errors(lambda error: None)()
seams.answers(lambda answer: {})()
seams.records(lambda record, call: record)()
with MockServer() as mock, RestClient(DEFAULT_PROJECT, DEFAULT_TOKEN, mock.url) as client:
    purchase = client.compat.phone_numbers.purchase
    print(purchase(PhoneNumber="+15551234567").phone_number)
    try:
        purchase(PhoneNumber="+15551234567")
    except UnprocessableEntityError as error:
        print(error.status)
"""


def test_a_plant_that_changes_nothing_breaks_nothing() -> None:
    """Else every bug that is planted in that way would count as caught."""
    command = [sys.executable, "-c", HARMLESS]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "+15551234567\n422\n"


@pytest.mark.slow
def test_the_proof_fails_for_a_bug_that_is_not_caught(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("the method is another one", "a refusal has another status")
    planted = [bug for bug in BUGS if bug.name in names]
    monkeypatch.setattr(proof, "BUGS", (*planted, Bug("client", "nothing is wrong")))
    monkeypatch.setattr(run_fuzz, "EXAMPLES", 1)
    assert proof.main(["client", "spec"]) == 1
    caught, of_the_document, not_caught, summary = capsys.readouterr().out.splitlines()
    assert re.search("the method is another one +(client|purchases) +[0-9]+ cases", caught)
    assert re.search("a refusal has another status +direct +[0-9]+ cases", of_the_document)
    assert re.search("nothing is wrong +NOT CAUGHT", not_caught)
    assert summary == "fuzz-proof: 3 bugs planted, 2 caught, 1 not caught"
