"""Fuzz a server, a client or both against an OpenAPI document: signalwire-compat-fuzz --help."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from . import options, report
from .arguments_check import COSTS, check
from .processes import INTERRUPTED, wait_for

SUITE = Path(__file__).with_name("suite")
REPORTS = Path("reports")
EXAMPLES = 100
SECONDS = 120
OPERATION_SECONDS = 10
"""How long EXAMPLES of one operation take at most, on two cores."""
GRACE = 60
"""Seconds for the test that is under way: no other begins once the time is over."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run rounds until one fails or the time has passed; return 0, 1 for findings, 2 or 130."""
    parser = _parser()
    given = vars(parser.parse_args(sys.argv[1:] if arguments is None else arguments))
    os.environ["FUZZ_ARGUMENTS"] = report.arguments(given)
    allowed = given.pop("allow_host")
    for name, value in given.items():
        if value not in (None, []):
            text = "\n".join(value) if isinstance(value, list) else str(value)
            os.environ[f"FUZZ_{name.upper()}"] = text
    check(allowed)
    try:
        REPORTS.mkdir(exist_ok=True)
    except OSError as error:
        options.refuse(f"reports can't be written to {REPORTS}/: {error.strerror}")
    # Both end a run in the same way. A shell lets what it starts in the background ignore SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    seconds = options.number("seconds", SECONDS)
    return _rounds(options.setting("url"), options.setting("client"), seconds)


def _rounds(url: str, client: str, seconds: int) -> int:
    asked: set[str] = set()
    tried: set[str] = set()
    seed, end = options.number("seed", 1), time.monotonic() + seconds
    while True:
        left = max(1, round(end - time.monotonic())) if seconds else 0
        status, ended = _round(url, client, seed, left)
        asked |= ended.keys()
        tried |= {name for name, is_tried in ended.items() if is_tried}
        if status or not options.setting("seconds") or time.monotonic() >= end - 1:
            break
        seed += 1
    if status == INTERRUPTED:
        return status
    for name in sorted(asked - tried):
        sys.stderr.write(
            f"Not one case of the {name} was tried. If no error above says why, check --include, "
            "--exclude and --only, or give more --seconds.\n"
        )
    return 2 if asked - tried else status


def _round(url: str, client: str, seed: int, seconds: int) -> tuple[int, dict[str, bool]]:
    """Fuzz the server, then the client unless that ended early, and report both.

    Returns the status, and of each whether any case was tried.
    """
    for path in REPORTS.glob("fuzz*"):
        path.unlink()
    seconds = seconds // 2 if url and client else seconds
    ended = {"server": run_server(url, seed, seconds)} if url else {}
    if client and all(status in (0, 1) for status, _ in ended.values()):
        ended["client"] = run_round(seed, seconds)
    given = {"seconds": text} if (text := os.environ.get("FUZZ_SECONDS")) else {}
    report.write(REPORTS, report.replay(seed, **given))
    # 2 for any other end, such as a signal, whose status is negative.
    known = (0, 1, INTERRUPTED)
    statuses = [status if status in known else 2 for status, _ in ended.values()]
    return max(statuses), {name: is_tried for name, (_, is_tried) in ended.items()}


def run_server(url: str, seed: int, seconds: int) -> tuple[int, bool]:
    """Run schemathesis with our cases and checks. Returns the status, and if any was tried."""
    from . import server_run

    junit = REPORTS / "fuzz-server.xml"
    ended = server_run.run(
        url,
        *server_run.selection(),
        *("--report", "junit", "--report-junit-path", str(junit)),
        seed=seed,
        examples=options.number("examples", EXAMPLES),
        seconds=seconds,
    )
    report.report_server(ended, REPORTS)
    is_refused = ended.untested() and ended.status != INTERRUPTED
    status = 2 if is_refused or "stopped" in ended.results else ended.status
    return status, bool(ended.results["cases"])


def run_round(seed: int, seconds: int) -> tuple[int, bool]:
    """Run every test of the client once. Returns the status, and if any case was tried."""
    from . import document

    only, tests = options.setting("only"), options.setting("tests").split()
    count = sum(1 for _ in document.operations())
    if not count:
        return 0, False
    share = min(1, seconds / (OPERATION_SECONDS * count)) if seconds else 1
    examples = options.number("examples", max(1, round(EXAMPLES * share)))
    # With tests of its own, a project has a configuration of pytest too.
    ini = Path("pyproject.toml") if tests else Path(__file__).with_name("pytest.ini")
    command = [sys.executable, "-m", "pytest", "-c", str(ini), "--rootdir=."]
    command += [*tests, str(SUITE), "--quiet", "--tb=short", "--show-capture=no", "-rN"]
    command += ["--numprocesses=auto", "--dist=worksteal", "-p", "no:cacheprovider"]
    command += [f"--junitxml={REPORTS / 'fuzz.xml'}", *(["-k", only] if only else [])]
    settings = {
        "FUZZ_SEED": str(seed),
        "FUZZ_EXAMPLES": str(examples),
        "FUZZ_END": str(time.time() + seconds) if seconds else "",
        "FUZZ_REPORT": "part" if only or seconds else "all",
    }
    try:
        status = wait_for(command, settings, seconds=seconds + GRACE if seconds else None)
    except TimeoutError:
        sys.stderr.write(
            "left out: all that has no line above. Give more --seconds, or --include.\n"
        )
        return 1, True
    return status, report.has_cases(REPORTS / "fuzz-client.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signalwire-compat-fuzz",
        description="Fuzz a server, a generated client or both against an OpenAPI document. Each "
        "option is also a variable, such as FUZZ_SPEC, and a key of [tool.signalwire-compat-fuzz] "
        "in ./pyproject.toml. Reports are written to reports/.",
    )
    add = parser.add_argument
    add("--version", action="version", version=version("signalwire-compat-fuzz"))
    add("--spec", metavar="PATH", help="the document (openapi.yaml)")
    add("--url", help="fuzz this server")
    add("--allow-host", metavar="HOST", help=f"the host of --url, if it is not here. {COSTS}")
    add("--client", metavar="PACKAGE", help="drive this package, which `make generate` wrote")
    add("--auth", metavar="USER:PASSWORD", help="credentials for --url")
    add("--header", metavar="'NAME: VALUE'", action="append", help="send this to --url; repeatable")
    kinds = "KIND=VALUE, with the kind id, tag or method; repeatable"
    add("--include", metavar="KIND=VALUE", action="append", help=f"these operations only: {kinds}")
    add("--exclude", metavar="KIND=VALUE", action="append", help="all operations but these")
    add("--hooks", metavar="MODULE", help="a module with around_case(case), a context manager")
    add("--known", metavar="FILE", help="known failures: these do not fail the run")
    add("--learn", action="store_true", default=None, help="write what fails to the --known file")
    add("--seconds", metavar="N", help=f"time for the whole run; 0 for no limit ({SECONDS})")
    add("--seed", metavar="N", help="the same seed and replies give the same cases (1)")
    add("--examples", metavar="N", help=f"random cases for each operation ({EXAMPLES})")
    add("--only", metavar="EXPRESSION", help="some tests of the client, as in pytest -k")
    return parser


if __name__ == "__main__":
    sys.exit(main())
