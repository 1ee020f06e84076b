"""Plants each bug in a copy of the project, fuzzes that, and writes docs/evidence/fuzz-proof.md.

Arguments are names of bugs or places: these alone then, and nothing is written. The exit status
is 1 if a bug is not caught by the default budget of `make fuzz`.
"""

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from scripts import run_fuzz

from .bugs import BUGS, Bug
from .tree import ROOT, add_second_operation, copy_tree, generate, run

DOCUMENT = ROOT / "docs" / "evidence" / "fuzz-proof.md"
DIRECT = "test_direct.py"
CLIENT = ("test_client.py", "test_replies.py", "test_purchases.py")
RUNS = {
    "client": CLIENT,
    "templates": CLIENT,
    "mock": (DIRECT, *CLIENT),
    "spec": (DIRECT, *CLIENT),
}
"""The runs that a bug of a place can turn red, in their order."""
WORDS = {
    "client": "the generated package is edited",
    "templates": "templates or generator are edited, and the package is generated from a document "
    "with one operation more",
    "mock": "the mock server is edited",
    "spec": "`openapi.yaml` is edited and the package generated, without the checks of the "
    "document itself; the mock keeps what it did before",
}


@dataclass(frozen=True)
class Finding:
    """How a bug was caught: by which run, after how many of its cases; "" for none."""

    run: str
    cases: int
    seconds: float


def prove(bug: Bug) -> Finding:
    """Plant one bug in a copy, and fuzz that until something fails."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = copy_tree(Path(name))
        _stop_at_the_first_failure(folder / "schemathesis.toml")
        if bug.place == "spec":
            spec = (folder / "openapi.yaml").read_bytes()
            (folder / "mock_server" / "signalwire_compat_mock" / "openapi.yaml").write_bytes(spec)
        if bug.place == "templates":
            add_second_operation(folder)
        bug.plant(folder)
        if bug.place in ("templates", "spec"):
            # Fuzzing is to find it, although the examples of the document would give it away.
            generate(folder, checked=bug.place != "spec")
        run_, cases = _fuzz(folder, RUNS[bug.place])
    return Finding(run_, cases, time.monotonic() - start)


def _stop_at_the_first_failure(settings: Path) -> None:
    text = settings.read_text("utf-8")
    text = text.replace("continue-on-failure = true", "max-failures = 1")
    settings.write_text(text.replace("[generation]", "[generation]\nno-shrink = true"), "utf-8")


def _fuzz(folder: Path, runs: Sequence[str]) -> tuple[str, int]:
    """Run the fuzz tests in their order up to the first failure: its run, and cases so far."""
    report = folder / "report.xml"
    result = run(
        folder,
        *("-m", "pytest", *(f"tests/fuzz/{name}" for name in runs)),
        *("-k", "not twin", "--exitfirst", "--quiet", "--tb=short", "-p", "no:randomly"),
        f"--junitxml={report}",
        FUZZ_EXAMPLES=str(run_fuzz.EXAMPLES),
        FUZZ_REPORT="part",
        FUZZ_SEED="1",
    )
    counts: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  # written by pytest
        told = {p.get("name"): p.get("value", "") for p in case.iter("property")}
        failed = case.find("failure") is not None or case.find("error") is not None
        name = told.get("run") or (case.get("classname") or "").rpartition("test_")[2]
        after = told.get("failed_after", "None")
        counts[name] += int(told.get("cases", 0) if after == "None" else after)
        if failed:
            return name, counts[name]
    if result.returncode:
        return "import", 0
    return "", counts.total()


def main(arguments: Sequence[str]) -> int:
    """Prove the bugs that the arguments name, or all of them."""
    bugs = [bug for bug in BUGS if not arguments or {bug.name, bug.place} & set(arguments)]
    if not bugs:
        print(f"no bug and no place is called {' or '.join(arguments)}", file=sys.stderr)
        return 2
    findings: list[Finding] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for bug, finding in zip(bugs, pool.map(prove, bugs), strict=True):
            findings.append(finding)
            found = f"{finding.run:<10}{finding.cases:6,} cases" if finding.run else "NOT CAUGHT"
            print(
                f"{len(findings):4}  {bug.place:<11}{bug.name:<55}{found:<24}"
                f"{finding.seconds:6.1f} s",
                flush=True,
            )
    caught = sum(bool(finding.run) for finding in findings)
    print(f"fuzz-proof: {len(bugs)} bugs planted, {caught} caught, {len(bugs) - caught} not caught")
    if not arguments:
        DOCUMENT.write_text(document(dict(zip(bugs, findings, strict=True))), "utf-8")
    return 0 if caught == len(bugs) else 1


def document(findings: dict[Bug, Finding]) -> str:
    """Write the table as Markdown."""
    caught = sum(bool(finding.run) for finding in findings.values())
    lines = [
        "<!-- Written by `make fuzz-proof`. Do not edit. -->",
        "# The proof that fuzzing finds bugs",
        "",
        f"`make fuzz-proof` plants one bug at a time in a copy of the project and fuzzes that with "
        f"the seed and the budget of `make fuzz`: {caught} of {len(findings)} are caught.",
        "",
    ]
    for place in RUNS:
        lines += ["", f"## {place}", "", f"{WORDS[place].capitalize()}.", ""]
        lines += ["| bug | caught by | after cases of that run |", "| --- | --- | ---: |"]
        lines += [
            f"| {bug.name} | {finding.run or '**not caught**'} | {finding.cases:,} |"
            for bug, finding in findings.items()
            if bug.place == place
        ]
    return re.sub("\n{3,}", "\n\n", "\n".join([*lines, ""]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
