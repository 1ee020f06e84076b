"""`make fuzz` itself: it takes in what is new, turns red for a bug, and says how to replay it."""

import re
import subprocess
from pathlib import Path

import pytest

from scripts import run_fuzz
from tests.conftest import ROOT
from tests.fuzz_proof import __main__ as proof
from tests.fuzz_proof.bugs import BUGS, Bug
from tests.fuzz_proof.tree import add_second_operation, copy_tree, generate, run


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_tree(tmp_path)


def fuzz(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "scripts.run_fuzz", **settings)


def test_a_new_operation_is_fuzzed_with_no_test_touched(copy: Path) -> None:
    add_second_operation(copy)
    generate(copy)
    chosen = "schemathesis or odd_member or valid_1 or documented_1"
    result = fuzz(copy, FUZZ_EXAMPLES="8", FUZZ_ONLY=chosen)
    assert result.returncode == 0, result.stdout[-4000:]
    lines = [line for line in result.stdout.splitlines() if "Notes" in line or "/annotate/" in line]
    for part in ("client", "replies"):
        counts = [re.search(rf"passed {part} +([0-9]+) cases", line) for line in lines]
        assert sum(int(found[1]) for found in counts if found) >= 50, lines
    assert "covered: 2/2 operations, 10/10 parameters" in result.stdout


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


def test_every_bug_of_the_proof_can_be_planted(copy: Path) -> None:
    assert len({(bug.place, bug.name) for bug in BUGS}) == len(BUGS) >= 60
    for bug in (bug for bug in BUGS if bug.place in ("mock", "spec")):
        text = (copy / bug.file).read_text("utf-8")
        bug.plant(copy)
        assert (copy / bug.file).read_text("utf-8") != text, bug.name
        (copy / bug.file).write_text(text, "utf-8")


def test_the_proof_fails_for_a_bug_that_is_not_caught(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = "generated/signalwire_compat/api/phone_numbers/purchase.py"
    bugs = (
        Bug("the method is another one", call, 'method="POST"', 'method="PUT"'),
        Bug("a comment is lost", call, "# Generated", "#"),
    )
    monkeypatch.setattr(proof, "BUGS", bugs)
    monkeypatch.setattr(run_fuzz, "EXAMPLES", 1)
    assert proof.main(["client"]) == 1
    caught, not_caught, summary = capsys.readouterr().out.splitlines()
    assert re.search("the method is another one +(client|purchases) +[0-9]+ cases", caught)
    assert "a comment is lost" in not_caught
    assert "NOT CAUGHT" in not_caught
    assert summary == "fuzz-proof: 2 bugs planted, 1 caught, 1 not caught"
