"""Plants each bug in a copy of the project, fuzzes that, and writes docs/evidence/fuzz-proof.md.

Arguments are names of bugs or places: these alone then, and nothing is written. The exit status
is 1 if a bug is not caught by the default number of examples of `make fuzz`.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from signalwire_compat_fuzz import __main__ as run_fuzz

from scripts.try_generator import copy_project
from tests.conftest import ROOT

from .bugs import BUGS, Bug
from .copies import add_second_operation, edit_document, generate, run_python

PAGE = ROOT / "docs" / "evidence" / "fuzz-proof.md"
CONFIG = "fuzzer/signalwire_compat_fuzz/schemathesis.toml"
SUITE = "fuzzer/signalwire_compat_fuzz/suite"
RAW = ("tests/fuzz/test_raw.py", "tests/fuzz/test_reserved.py")
DIRECT = ("tests/fuzz/test_direct.py",)
SEQUENCES = ("tests/fuzz/test_purchases.py", "tests/fuzz/test_sequences.py")
CLIENT = tuple(f"{SUITE}/test_{run}.py" for run in ("client", "replies", "pages"))
RUNS = {
    **dict.fromkeys(("client", "second operation"), (*CLIENT, *SEQUENCES)),
    **dict.fromkeys(("mock", "spec"), (*RAW, *SEQUENCES, *DIRECT, *CLIENT)),
}
"""The runs for each place, those first that find most in least time."""
PLACES = {
    "client": "The client is changed, or generated from a changed document.",
    "second operation": "The same, with a document that has one operation more.",
    "mock": "The mock server is changed.",
    "spec": "`openapi.yaml` is changed and the package generated, without the checks of the "
    "document itself; the mock keeps its own copy.",
}


class Finding(NamedTuple):
    """How a bug was caught: by which run ("" for none), and after how many of its cases."""

    run: str
    cases: int
    seconds: float


def prove(bug: Bug) -> Finding:
    """Plant one bug in a copy, and fuzz that until something fails."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        copy_project(folder := Path(name))
        settings, spec = folder / CONFIG, folder / "openapi.yaml"
        text = settings.read_text("utf-8").replace("continue-on-failure = true", "max-failures = 1")
        settings.write_text(text.replace("[generation]", "[generation]\nno-shrink = true"), "utf-8")
        if bug.place == "second operation":
            edit_document(folder, add_second_operation)
        mocked = folder / "mock_server" / "signalwire_compat_mock" / "openapi.yaml"
        mocked.write_bytes(spec.read_bytes())
        if bug.edit:
            edit_document(folder, bug.edit)
        if bug.edit or bug.place == "second operation":
            # Fuzzing is to find it, although the examples of the document would give it away.
            try:
                generate(folder, checked=False)
            except subprocess.CalledProcessError:
                return Finding("generate", 0, time.monotonic() - start)
        if bug.place != "spec":
            spec.write_bytes(mocked.read_bytes())
        run_name, cases = _fuzz(folder, bug)
    return Finding(run_name, cases, time.monotonic() - start)


def _fuzz(folder: Path, bug: Bug) -> tuple[str, int]:
    """Run the fuzz tests in their order up to the first failure: its run, and cases so far."""
    report = folder / "report.xml"
    runs = RUNS[bug.place]
    result = run_python(
        folder,
        *("-m", "pytest", *runs, f"--junitxml={report}"),
        *("--exitfirst", "--quiet", "--tb=short", "-p", "no:randomly"),
        *(("-p", "tests.fuzz_proof.bugs") if bug.plant else ()),
        *(("-p", "tests.fuzz_proof.own_document") if bug.place == "spec" else ()),
        FUZZ_EXAMPLES=str(run_fuzz.EXAMPLES),
        FUZZ_PROOF_BUG=f"{bug.place}: {bug.name}",
        FUZZ_REPORT="part",
        FUZZ_SEED="1",
    )
    counts: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  # written by pytest
        told = {p.get("name"): p.get("value", "") for p in case.iter("property")}
        name = told.get("run") or (case.get("classname") or "").rpartition("test_")[2]
        after = told.get("failed_after", "None")
        counts[name] += int(told.get("cases", 0) if after == "None" else after)
        if {"failure", "error"} & {child.tag for child in case}:
            return name, counts[name]
    return ("import" if result.returncode else ""), counts.total()


def main(arguments: Sequence[str]) -> int:
    bugs = [bug for bug in BUGS if not arguments or {bug.name, bug.place} & set(arguments)]
    if not bugs:
        print(f"no bug and no place is called {' or '.join(arguments)}", file=sys.stderr)
        return 2
    findings: list[Finding] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for bug, finding in zip(bugs, pool.map(prove, bugs), strict=True):
            findings.append(finding)
            found = f"{finding.run:<10}{finding.cases:6,} cases" if finding.run else "NOT CAUGHT"
            line = f"{len(findings):4}  {bug.place:<17}{bug.name:<55}{found:<24}"
            print(f"{line}{finding.seconds:6.1f} s", flush=True)
    caught = sum(bool(finding.run) for finding in findings)
    print(f"fuzz-proof: {len(bugs)} bugs planted, {caught} caught, {len(bugs) - caught} not caught")
    if not arguments:
        PAGE.write_text(page(findings), "utf-8")
    return 0 if caught == len(bugs) else 1


def page(findings: Sequence[Finding]) -> str:
    caught = sum(bool(finding.run) for finding in findings)
    lines = [
        "<!-- Written by `make fuzz-proof`. Do not edit. -->",
        "# The proof that fuzzing finds bugs",
        "",
        f"`make fuzz-proof` plants one bug at a time in a copy of the project and fuzzes that with "
        f"the seed and the budget of `make fuzz`: {caught} of {len(findings)} are caught.",
    ]
    for place, words in PLACES.items():
        lines += ["", f"## {place.capitalize()}", "", words, ""]
        lines += ["| bug | caught by | after cases of that run |", "| --- | --- | ---: |"]
        lines += [
            f"| {bug.name} | {finding.run or '**not caught**'} | {finding.cases:,} |"
            for bug, finding in zip(BUGS, findings, strict=True)
            if bug.place == place
        ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
