"""Fuzz a server, a client or both against an OpenAPI document: signalwire-compat-fuzz --help."""

import argparse
import contextlib
import importlib.util
import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.machinery import PathFinder
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from . import options, report

SUITE = Path(__file__).with_name("suite")
REPORTS = Path("reports")
EXAMPLES = 150
SECONDS = 120
OPERATION_SECONDS = 10
"""How long EXAMPLES of one operation take at most, on two cores."""
GRACE = 60
"""Seconds for the test that is under way: no other begins once the time is over."""
COSTS = "Every valid case of a purchase costs money there."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run rounds until one fails or the time has passed; return 0, 1 for findings, or 2."""
    parser = _parser()
    given = vars(parser.parse_args(sys.argv[1:] if arguments is None else arguments))
    os.environ["FUZZ_ARGUMENTS"] = report.arguments(given)
    allowed = given.pop("allow_host")
    for name, value in given.items():
        if value not in (None, []):
            text = "\n".join(value) if isinstance(value, list) else str(value)
            os.environ[f"FUZZ_{name.upper()}"] = text
    url, client = options.setting("url"), options.setting("client")
    spec = options.spec_file()
    seconds = options.number("seconds", SECONDS)
    options.number("examples", EXAMPLES)
    if not (url or client):
        parser.error("give --url URL, --client PACKAGE or both")
    if options.setting("learn") and not options.setting("known"):
        parser.error("--learn needs --known FILE")
    for name in ("client", "hooks", "rules"):
        if (module := options.setting(name)) and not _is_there(module):
            parser.error(f"{name}: no module {module}. Install it, or run this beside it.")
    options.selected("include")
    options.selected("exclude")
    if not spec.is_file():
        parser.error(f"{spec} is not a file: name the document with --spec")
    if problem := _not_a_document(spec):
        parser.error(f"{spec} is not an OpenAPI document: {problem}")
    host = urlsplit(url).hostname or ""
    if url and not (urlsplit(url).scheme in ("http", "https") and host):
        parser.error(f"{url} is not an address: give one such as http://127.0.0.1:8000")
    if url and not _is_loopback(host):
        if allowed != host:
            parser.error(
                f"{host} is not this machine. {COSTS} "
                f"To fuzz it all the same, name it again: --allow-host {host}"
            )
        sys.stderr.write(f"Fuzzing {host}, which is not this machine. {COSTS}\n")
    REPORTS.mkdir(exist_ok=True)
    return _rounds(url, client, seconds)


def _rounds(url: str, client: str, seconds: int) -> int:
    untried = {name for name, asked in (("server", url), ("client", client)) if asked}
    seed, end = options.number("seed", 1), time.monotonic() + seconds
    while True:
        left = max(1, round(end - time.monotonic())) if seconds else 0
        status, tried = _round(url, client, seed, left)
        untried -= tried
        if status or not options.setting("seconds") or time.monotonic() >= end - 1:
            break
        seed += 1
    for name in sorted(untried):
        sys.stderr.write(
            f"Not one case of the {name} was tried. If no error above says why, check --include, "
            "--exclude and --only, or give more --seconds.\n"
        )
    return 2 if untried else status


def _round(url: str, client: str, seed: int, seconds: int) -> tuple[int, set[str]]:
    """Fuzz the server, then the client, and report both. Returns the status, and what was tried."""
    for path in REPORTS.glob("fuzz*"):
        path.unlink()
    seconds = seconds // 2 if url and client else seconds
    ended = {"server": run_server(url, seed, seconds)} if url else {}
    ended |= {"client": run_round(seed, seconds)} if client else {}
    report.write(REPORTS, report.replay(seed))
    # 2 for any other end, such as a signal, whose status is negative.
    statuses = [status if status in (0, 1) else 2 for status, _ in ended.values()]
    return max(statuses), {name for name, (_, is_tried) in ended.items() if is_tried}


def run_server(url: str, seed: int, seconds: int) -> tuple[int, bool]:
    """Run schemathesis with our cases and checks. Returns the status, and if any was tried."""
    from . import server_run

    done, told = server_run.run(
        url,
        *server_run.selection(),
        *("--report", "junit", "--report-junit-path", str(REPORTS / "fuzz-server.xml")),
        seed=seed,
        examples=options.number("examples", EXAMPLES),
        seconds=seconds,
    )
    report.tell(told, REPORTS / "fuzz-server.json")
    return done.returncode, bool(told.get("cases"))


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
    with subprocess.Popen(command, env={**os.environ, **settings}) as process:  # noqa: S603  # pytest
        try:
            status = process.wait(seconds + GRACE if seconds else None)
            return status, report.has_cases(REPORTS / "fuzz-client.json")
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
    sys.stderr.write("left out: all that has no line above. Give more --seconds, or --include.\n")
    return 1, True


def _is_there(module: str) -> bool:
    """Tell whether a module can be found, as `python -m pytest` looks: also in this folder."""
    top = module.partition(".")[0]
    return bool(importlib.util.find_spec(top) or PathFinder.find_spec(top, ["."]))


def _not_a_document(spec: Path) -> str:
    """Say in a line why a file can't be an OpenAPI document; "" if it can."""
    try:
        document = yaml.safe_load(spec.read_text("utf-8"))
    except (UnicodeError, yaml.YAMLError) as error:
        return " ".join(str(error).split())
    has_paths = isinstance(document, dict) and isinstance(document.get("paths"), dict)
    return "" if has_paths else "it has no paths"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
    add("--seed", metavar="N", help="the same seed gives the same cases (1)")
    add("--examples", metavar="N", help=f"random cases for each operation ({EXAMPLES})")
    add("--only", metavar="EXPRESSION", help="some tests of the client, as in pytest -k")
    return parser


if __name__ == "__main__":
    sys.exit(main())
