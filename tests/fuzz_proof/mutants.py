"""Small edits that mutmut makes of client and mock: how many the tests see, and why not the rest.

The argument is the size of the sample, 80 if it is left out; the same size is the same sample.
Writes docs/evidence/mutants.md. The exit status is 1 if a mutant that is not seen has no reason in
tests/fuzz_proof/survivors.toml.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .copies import ROOT, copy_project

FOLDER = ROOT / ".build" / "mutants"
DOCUMENT = ROOT / "docs" / "evidence" / "mutants.md"
REASONS = Path(__file__).with_name("survivors.toml")
PACKAGES = {"generated": "signalwire_compat", "mock_server": "signalwire_compat_mock"}
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
# Looked after by tests that are not run here, since they take seconds: those of aiohttp, of other
# documents, of the status callback, of the fixture, of the command, and of the pages.
do_not_mutate = [
  "*/given.py", "*/incoming_call_status.py", "*/__main__.py", "*/explorer.py", "*/faults.py",
  "*/journal.py", "*/listening.py", "*/plugin.py", "*/sample.py", "*/session.py",
]
also_copy = ["openapi.yaml", "schemathesis.toml", "codegen", "runtime", "scripts", "mock_server"]
pytest_add_cli_args = ["-p", "no:randomly", "-p", "no:xdist", "-k", "not (traceback or command)"]
pytest_add_cli_args_test_selection = [
  "tests/fuzz/test_client.py",
  "tests/fuzz/test_replies.py",
  "tests/fuzz/test_purchases.py",
  "tests/transport/test_accounts.py",
  "tests/client/test_calls.py",
  "tests/client/test_errors.py",
  "tests/mock/test_mock_server.py",
  "tests/client/test_purchase.py",
  "tests/client/test_replies.py",
  "tests/client/test_requests.py",
]
track_dependencies = false
use_git_change_detection = false
"""


@dataclass(frozen=True)
class Mutant:
    """One edit: where it is, what became of it, and the lines that it changes."""

    name: str
    status: str
    lines: tuple[str, ...] = ()
    reason: str = ""

    @property
    def place(self) -> str:
        """Module and function, as Python writes them."""
        return _place(self.name)

    @property
    def is_seen(self) -> bool:
        """Whether a test failed, or never ended."""
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


def sample(size: int) -> list[str]:
    """Make every mutant, run the tests once, and draw some by lot."""
    # It makes all of them, and then complains that none has this name.
    said = _mutmut("run", "none")
    names = sorted(_statuses())
    if "nothing matches" not in said or not names:
        sys.exit(f"mutmut made no mutants: {said[-2000:]}")
    return random.Random(1).sample(names, min(size, len(names)))


def try_out(names: Sequence[str]) -> list[Mutant]:
    """Run the tests against each mutant."""
    children = str(os.cpu_count() or 1)
    _mutmut("run", "--max-children", children, *names, shown=True)
    statuses = _statuses()
    mutants = [Mutant(name, statuses[name]) for name in sorted(names)]
    return [mutant if mutant.is_seen else _explained(mutant) for mutant in mutants]


def _statuses() -> dict[str, str]:
    return dict(re.findall(r"(\S+__mutmut_[0-9]+): (.+)", _mutmut("results", "--all", "true")))


def _explained(mutant: Mutant) -> Mutant:
    diff = _mutmut("show", mutant.name).splitlines()
    lines = tuple(line for line in diff if re.match(r"[+-](?![+-]{2} )", line))
    text = "\n".join(lines)
    for reason in tomllib.loads(REASONS.read_text("utf-8"))["reason"]:
        if re.search(reason.get("place", ""), mutant.place) and re.search(reason["edit"], text):
            return Mutant(mutant.name, mutant.status, lines, reason["why"])
    return Mutant(mutant.name, mutant.status, lines)


def _mutmut(*command: str, shown: bool = False) -> str:
    program = str(Path(sys.executable).with_name("mutmut"))
    source = str(FOLDER / "mutants" / "src")
    result = subprocess.run(
        [program, *command],
        cwd=FOLDER,
        env={**os.environ, "PYTHONPATH": source, "FUZZ_EXAMPLES": "8", "FUZZ_SEED": "1"},
        check=False,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
    )
    return result.stdout or ""


def _place(name: str) -> str:
    module, _, function = name.rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


def document(mutants: Sequence[Mutant]) -> Iterator[str]:
    """Write the score of each module, and every mutant that was not seen."""
    seen = sum(mutant.is_seen for mutant in mutants)
    yield "<!-- Written by `make mutants`. Do not edit. -->"
    yield "# Mutants: how much of an edit the tests see"
    yield ""
    yield "`make mutants` lets [mutmut](https://mutmut.readthedocs.io) edit client and mock, one"
    yield "small edit at a time, and runs the fuzz tests, with eight examples each, and the quick"
    yield "tests of both against it. Modules with slower tests of their own are left out."
    yield f"Of a sample of {len(mutants)}, {seen} are seen: {seen / len(mutants):.1%}."
    yield ""
    yield "| module | mutants | seen |"
    yield "| --- | ---: | ---: |"
    modules = Counter(mutant.name.partition(".x")[0] for mutant in mutants)
    found = Counter(mutant.name.partition(".x")[0] for mutant in mutants if mutant.is_seen)
    for module, count in sorted(modules.items()):
        yield f"| `{module}` | {count} | {found[module]} |"
    yield ""
    yield "## Not seen, and why that is no gap"
    survivors = [mutant for mutant in mutants if not mutant.is_seen]
    for reason in sorted({mutant.reason for mutant in survivors}):
        yield f"\n### {reason or 'Not explained yet'}\n\n```diff"
        for mutant in survivors:
            if mutant.reason == reason:
                yield from (f"# {mutant.place}", *mutant.lines)
        yield "```"


def main(arguments: Sequence[str]) -> int:
    """Try a sample, print its score, and write the page."""
    prepare()
    mutants = try_out(sample(int(arguments[0]) if arguments else 80))
    DOCUMENT.write_text("\n".join([*document(mutants), ""]), "utf-8")
    seen = sum(mutant.is_seen for mutant in mutants)
    open_ = [mutant for mutant in mutants if not mutant.is_seen and not mutant.reason]
    for mutant in open_:
        print(
            f"not seen, and no reason for it: {mutant.name} ({mutant.status})",
            *mutant.lines,
            sep="\n  ",
        )
    print(
        f"mutants: {len(mutants)} tried, {seen} seen, {len(open_)} not explained: {DOCUMENT.name}"
    )
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
