"""Run the fuzz tests once, or with one seed after another while FUZZ_SECONDS are left.

FUZZ_EXAMPLES: random cases for each operation and kind of data, 150 by default.
FUZZ_SEED: the first seed, 1 by default; the same seed gives the same cases.
FUZZ_SECONDS: start rounds, each with the next seed, until this time has passed. Below 90, one
smaller round.
FUZZ_ONLY: an expression of `pytest -k` that selects tests.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from .options import TESTS, number

SUITE = Path(__file__).with_name("suite")
EXAMPLES = 150
ROUND_SECONDS = 90
"""How long a round of EXAMPLES takes at most, on two cores."""


def run_round(seed: int, examples: int, only: str) -> int:
    """Run every test once and return the exit status of pytest."""
    command = [sys.executable, "-m", "pytest", *TESTS, str(SUITE), "--quiet", "--tb=short"]
    command += ["--numprocesses=auto", "--dist=worksteal", "-p", "no:randomly"]
    command += ["--junitxml=reports/fuzz.xml", *(["-k", only] if only else [])]
    settings = {"FUZZ_SEED": str(seed), "FUZZ_EXAMPLES": str(examples)}
    environment = {**os.environ, **settings, "FUZZ_REPORT": "part" if only else "all"}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  # pytest


def main() -> int:
    """Run rounds until one fails or the time has passed."""
    seconds = number("seconds", 0)
    share = min(1, seconds / ROUND_SECONDS) if seconds else 1
    examples = number("examples", max(1, round(EXAMPLES * share)))
    seed, end = number("seed", 1), time.monotonic() + seconds
    while True:
        status = run_round(seed, examples, os.environ.get("FUZZ_ONLY", ""))
        if status or time.monotonic() >= end:
            return status
        seed += 1


if __name__ == "__main__":
    sys.exit(main())
