"""Schemathesis against a server, with its own command and the settings of schemathesis.toml."""

import os
import subprocess
import sys
from pathlib import Path

from signalwire_compat_mock import MockServer

from tests.conftest import ROOT

from .budget import EXAMPLES, SEED
from .tally import LOCAL, replay


class Disagreement(AssertionError):  # noqa: N818  # what a run is for: an outcome, not a fault
    """Schemathesis found something: the text is its report."""


def run_directly(
    server: MockServer, *options: str, examples: int = EXAMPLES, junit: Path | None = None
) -> None:
    """Run all phases and checks. Errors: `Disagreement` with the report if anything is found."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "--no-color", "run", "openapi.yaml"]
    command += ["--origin", server.url, "--seed", str(SEED), "--max-examples", str(examples)]
    if junit:
        command += ["--report", "junit", "--report-junit-path", str(junit)]
    result = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100"},
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        report = f"{result.stdout}{result.stderr}".replace(server.url, LOCAL)
        hint = "The curl commands work while `make mock FORGETFUL=1` runs."
        raise Disagreement(f"{report}\n{hint} To replay all of it:\n  {replay()}")
