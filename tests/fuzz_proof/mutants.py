"""Small edits that mutmut makes of client and mock: how many of a sample the tests see.

The arguments are the size of the sample, 80 if it is left out, and the seed that draws it, 1 if it
is left out. Prints the score and writes docs/evidence/mutants.md.
"""

import os
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.try_generator import copy_project
from tests.conftest import ROOT, run

FOLDER = ROOT / ".build" / "mutants"
PAGE = ROOT / "docs" / "evidence" / "mutants.md"
PACKAGES = {"generated": "signalwire_compat", "mock_server": "signalwire_compat_mock"}
FOLDERS = ("src", "fuzzer")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
# uvicorn does not take what mutmut wraps for an app.
do_not_mutate = ["*/web_origins.py"]
also_copy = [
  "openapi.yaml", "generator-config.yml", "codegen", "contract_diff", "runtime", "scripts",
  "mock_server", "fuzzer",
]
# Left out: tests that count frames or names, which mutmut adds to, or that run pytest themselves.
pytest_add_cli_args = [
  "--show-capture=no", "-p", "no:randomly",
  "-k", "not (traceback or command or completion or several_ways or parallel_workers)",
]
pytest_add_cli_args_test_selection = [
  "fuzzer/signalwire_compat_fuzz/suite", "tests/fuzz/test_purchases.py",
  "tests/client", "tests/mock", "tests/transport/test_losses.py",
]
track_dependencies = false
use_git_change_detection = false
"""


class Mutant(NamedTuple):
    """One edit: module and function, what became of it, and the lines that it changes."""

    place: str
    status: str
    lines: Sequence[str]

    @property
    def module(self) -> str:
        return re.split(r"\.(?=_?[A-Z]|\w+$)", self.place)[0]

    @property
    def outcome(self) -> str:
        """Say whether tests see it; `not run`: in no process that mutmut watches."""
        if self.status in ("killed", "timeout", "segfault"):
            return "seen"
        return "not run" if self.status == "no tests" else "not seen"


def prepare() -> None:
    """Copy the project in the layout that mutmut expects: the packages below src/."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    # A folder on PYTHONPATH that is not there when Python starts is not looked into later.
    for folder in FOLDERS:
        (FOLDER / "mutants" / folder).mkdir(parents=True)
    copy_project(FOLDER)
    for folder, package in PACKAGES.items():
        shutil.move(FOLDER / folder / package, FOLDER / "src" / package)
    with (FOLDER / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(SETTINGS)


def try_sample(size: int, seed: int) -> tuple[list[Mutant], int]:
    """Make all mutants, and run the tests against some. Returns these, and how many there are."""
    # It makes all of them, and then complains that none has this name.
    output = _mutmut("run", "none")
    names = sorted(_statuses())
    if "nothing matches" not in output or not names:
        sys.exit(f"mutmut made no mutants: {output[-2000:]}")
    sample = sorted(random.Random(seed).sample(names, min(size, len(names))))
    output = _mutmut("run", "--max-children", str(os.cpu_count() or 1), *sample)
    statuses = _statuses()
    if any(statuses[name] == "not checked" for name in sample):
        sys.exit(f"mutmut stopped before the end: {output[-2000:]}")
    return [_mutant(name, statuses[name]) for name in sample], len(names)


def _statuses() -> dict[str, str]:
    return dict(re.findall(r"(\S+__mutmut_[0-9]+): (.+)", _mutmut("results", "--all", "true")))


def _mutant(name: str, status: str) -> Mutant:
    module, _, function = name.rpartition("__mutmut_")[0].rpartition(".")
    place = f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"
    lines = re.findall(r"^[+-](?![+-]{2} ).*", _mutmut("show", name), re.MULTILINE)
    return Mutant(place, status, lines)


def _mutmut(*command: str) -> str:
    paths = ":".join(f"{FOLDER}/mutants/{folder}" for folder in FOLDERS)
    settings = {"PYTHONPATH": paths, "FUZZ_EXAMPLES": "8", "FUZZ_SEED": "1"}
    done = run(Path(sys.executable).with_name("mutmut"), *command, cwd=FOLDER, **settings)
    return done.stdout + done.stderr


def score(mutants: Sequence[Mutant], total: int, seed: int) -> str:
    """Say in a line how many of a sample are seen, and what was left out."""
    count = Counter(mutant.outcome for mutant in mutants)
    tried = count["seen"] + count["not seen"]
    return (
        f"{count['seen']} of {tried} mutants seen ({count['seen'] / (tried or 1):.1%}); left out: "
        f"{count['not run']} that no test runs in its own process, and {total - len(mutants):,} "
        f"that seed {seed} did not draw"
    )


def page(mutants: Sequence[Mutant], line: str) -> Iterator[str]:
    yield f"""<!-- Written by `make mutants`. Do not edit. -->
# Mutants: how much of an edit the tests see

`make mutants` lets [mutmut](https://mutmut.readthedocs.io) edit client and mock, one
small edit at a time, and runs the fuzz tests, with eight examples each, and the tests of
both against it. Two kinds of edits can count as not seen although `make test` sees them:
edits to a value that is computed once, before mutmut switches the edit on, and edits to code
that runs only in a separate process or in a client generated from another document. The score:

{line}.

| module | seen | not seen | not run |
| --- | ---: | ---: | ---: |"""
    found = Counter((mutant.module, mutant.outcome) for mutant in mutants)
    for module in sorted({mutant.module for mutant in mutants}):
        counts = (found[module, outcome] for outcome in ("seen", "not seen", "not run"))
        yield f"| `{module}` | {' | '.join(map(str, counts))} |"
    yield "\n## Not seen\n\n```diff"
    for mutant in mutants:
        if mutant.outcome == "not seen":
            yield from (f"# {mutant.place}", *mutant.lines)
    yield "```"


def main(size: str = "80", seed: str = "1") -> None:
    prepare()
    mutants, total = try_sample(int(size), int(seed))
    line = score(mutants, total, int(seed))
    PAGE.write_text("\n".join([*page(mutants, line), ""]), "utf-8")
    for mutant in mutants:
        if mutant.outcome == "not seen":
            print(f"not seen: {mutant.place}", *mutant.lines, sep="\n")
    print(f"mutants: {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
