"""Small edits that mutmut makes of client and mock: how many the tests see, and why not the rest.

The argument is the size of the sample, 80 if it is left out; the same size is the same sample.
Writes docs/evidence/mutants.md. The exit status is 1 if a mutant that is not seen has no reason in
tests/fuzz_proof/survivors.toml.
"""

import os
import random
import re
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.try_generator import copy_project
from tests.conftest import ROOT, run

FOLDER = ROOT / ".build" / "mutants"
PAGE = ROOT / "docs" / "evidence" / "mutants.md"
REASONS = Path(__file__).with_name("survivors.toml")
PACKAGES = {"generated": "signalwire_compat", "mock_server": "signalwire_compat_mock"}
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
# These have slower tests, which are not run here.
do_not_mutate = [
  "*/_given.py", "*/incoming_call_status.py", "*/__main__.py", "*/explorer.py", "*/faults.py",
  "*/journal.py", "*/listening.py", "*/plugin.py", "*/sample.py", "*/_session.py",
]
also_copy = ["openapi.yaml", "codegen", "runtime", "scripts", "mock_server", "fuzzer"]
pytest_add_cli_args = ["-p", "no:randomly", "-p", "no:xdist", "-k", "not (traceback or command)"]
pytest_add_cli_args_test_selection = [
  "fuzzer/signalwire_compat_fuzz/suite", "tests/fuzz/test_purchases.py",
  "tests/client", "tests/mock", "tests/transport/test_losses.py",
]
track_dependencies = false
use_git_change_detection = false
"""


class Mutant(NamedTuple):
    """One edit: module and function, what became of it, the lines that it changes, and a reason."""

    place: str
    status: str
    lines: Sequence[str]
    reason: str

    @property
    def is_seen(self) -> bool:
        return self.status in ("killed", "timeout", "segfault")


def prepare() -> None:
    """Copy the project in the layout that mutmut expects: the packages below src/."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    # A folder on PYTHONPATH that is not there when Python starts is not looked into later.
    (FOLDER / "mutants" / "src").mkdir(parents=True)
    copy_project(FOLDER)
    for folder, package in PACKAGES.items():
        shutil.move(FOLDER / folder / package, FOLDER / "src" / package)
    with (FOLDER / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(SETTINGS)


def try_sample(size: int) -> list[Mutant]:
    """Make every mutant, draw some by lot, and run the tests against each of these."""
    # It makes all of them, and then complains that none has this name.
    output = _mutmut("run", "none")
    names = sorted(_statuses())
    if "nothing matches" not in output or not names:
        sys.exit(f"mutmut made no mutants: {output[-2000:]}")
    names = sorted(random.Random(1).sample(names, min(size, len(names))))
    _mutmut("run", "--max-children", str(os.cpu_count() or 1), *names)
    statuses = _statuses()
    return [_mutant(name, statuses[name]) for name in names]


def _statuses() -> dict[str, str]:
    return dict(re.findall(r"(\S+__mutmut_[0-9]+): (.+)", _mutmut("results", "--all", "true")))


def _mutant(name: str, status: str) -> Mutant:
    module, _, function = name.rpartition("__mutmut_")[0].rpartition(".")
    place = f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"
    lines = re.findall(r"^[+-](?![+-]{2} ).*", _mutmut("show", name), re.MULTILINE)
    for reason in tomllib.loads(REASONS.read_text("utf-8"))["reason"]:
        is_here = re.search(reason.get("place", ""), place)
        if is_here and re.search(reason["edit"], "\n".join(lines)):
            return Mutant(place, status, lines, reason["why"])
    return Mutant(place, status, lines, "")


def _mutmut(*command: str) -> str:
    settings = {"PYTHONPATH": f"{FOLDER}/mutants/src", "FUZZ_EXAMPLES": "8", "FUZZ_SEED": "1"}
    done = run(Path(sys.executable).with_name("mutmut"), *command, cwd=FOLDER, **settings)
    return done.stdout + done.stderr


def page(mutants: Sequence[Mutant]) -> Iterator[str]:
    seen = [mutant for mutant in mutants if mutant.is_seen]
    yield f"""<!-- Written by `make mutants`. Do not edit. -->
# Mutants: how much of an edit the tests see

`make mutants` lets [mutmut](https://mutmut.readthedocs.io) edit client and mock, one
small edit at a time, and runs the fuzz tests, with eight examples each, and the quick
tests of both against it. Modules with slower tests of their own are left out.
Of a sample of {len(mutants)}, {len(seen)} are seen: {len(seen) / len(mutants):.1%}.

| module | mutants | seen |
| --- | ---: | ---: |"""
    modules, found = (
        Counter(re.split(r"\.(?=_?[A-Z]|\w+$)", mutant.place)[0] for mutant in group)
        for group in (mutants, seen)
    )
    for module, count in sorted(modules.items()):
        yield f"| `{module}` | {count} | {found[module]} |"
    yield "\n## Not seen, and why that is no gap"
    survivors = [mutant for mutant in mutants if not mutant.is_seen]
    for reason in sorted({mutant.reason for mutant in survivors}):
        yield f"\n### {reason or 'Not explained yet'}\n\n```diff"
        for mutant in survivors:
            if mutant.reason == reason:
                yield from (f"# {mutant.place}", *mutant.lines)
        yield "```"


def main(arguments: Sequence[str]) -> int:
    prepare()
    mutants = try_sample(int(arguments[0]) if arguments else 80)
    PAGE.write_text("\n".join([*page(mutants), ""]), "utf-8")
    open_ = [mutant for mutant in mutants if not mutant.is_seen and not mutant.reason]
    for mutant in open_:
        print(f"not seen, and no reason for it: {mutant.place} ({mutant.status})")
        print(*mutant.lines, sep="\n")
    seen = sum(mutant.is_seen for mutant in mutants)
    print(f"mutants: {len(mutants)} tried, {seen} seen, {len(open_)} not explained: {PAGE.name}")
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
