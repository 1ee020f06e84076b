"""What is left after a run: lines at its end, a page of HTML, and annotations for CI systems."""

import html
import json
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import yaml

from .options import setting, spec_file
from .processes import INTERRUPTED

if TYPE_CHECKING:
    from .server_run import Ended

_SHOWN = 5
"""Failures of an operation that are printed at most."""
_PAGE = """<!doctype html><meta charset="utf-8"><title>Contract fuzzing</title>
<style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}
pre{{background:#f4f4f4;padding:.7rem;overflow-x:auto}}td{{padding:.1rem 1rem .1rem 0}}</style>
<h1>Contract fuzzing: {count}</h1><p>To replay: <code>{replay}</code></p>
<h2>Failures</h2>{failures}<h2>Covered</h2><table>{covered}</table>
<h2>Not covered</h2><ul>{gaps}</ul><h2>Left out</h2><ul>{left_out}</ul>
"""


class Failure(NamedTuple):
    """A failed part of a run: its operation or test, what to read about it, its name in JUnit."""

    place: str
    text: str
    test: str = ""


def tell(ended: "Ended", folder: Path) -> bool:
    """Print and keep how a run of a server ended. Returns whether all that was chosen was tested.

    An operation that never took the credentials was not.
    """
    from .contract_coverage import COVERAGE

    told = ended.told
    COVERAGE.merge(told.get("covered", []))
    failures = [Failure(*found) for found in told.get("failures", [])]
    lines = [*_failure_lines(failures)]
    if ended.status not in (0, INTERRUPTED) and not lines:  # Such as a warning that fails a run.
        lines = [ended.output]
    lines += [f"known: {count} known failures came again" for count in [told.get("known")] if count]
    lines += [f"left out: {place}: {what}" for place, what in told.get("left_out", {}).items()]
    if told.get("left_out"):
        half = f"half of the replies took {1000 * told['reply_seconds']:.0f} ms or more"
        lines += [f"left out: {half}: for more cases, give more --seconds"]
    is_tested = "stopped" not in told
    for place, replies in told.get("never_accepted", {}).items():
        statuses = " or ".join(sorted(replies))
        if {*replies} <= {"401", "403"}:
            is_tested = False
            lines += [f"not tested: {place}: every reply was {statuses}: check --auth or --header"]
        else:
            lines += [f"never accepted: {place}: the replies to its valid cases were {statuses}"]
    lines += [f"covered: {COVERAGE.summary()}"]
    lines += [f"stopped: {told['stopped']}"] if "stopped" in told else []
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()  # What the next program writes comes after it.
    _rewrite(folder / "fuzz-server.xml", failures)
    keep(folder / "fuzz-server.json", told.get("cases", 0), told.get("left_out", {}), failures)
    return is_tested


def _failure_lines(failures: list[Failure]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for failure in failures:
        counts[failure.place] += 1
        if counts[failure.place] <= _SHOWN:
            yield f"\nFAILED {failure.place}: {failure.text}"
    for place, count in counts.items():
        if count > _SHOWN:
            yield f"\n{count - _SHOWN} more of {place} are in reports/fuzz.html."
    if failures:
        yield ""


def _rewrite(junit: Path, failures: list[Failure]) -> None:
    """Give the failures in a JUnit file of schemathesis the text that is printed."""
    if not junit.is_file():
        return
    tree = ElementTree.parse(junit)  # noqa: S314  # of our own run
    for case in tree.iter("testcase"):
        texts = [failure.text for failure in failures if failure.test == case.get("name")]
        for found in case.findall("failure"):
            found.text = "\n\n".join(texts)
    tree.write(junit, "utf-8", xml_declaration=True)


def keep(
    path: Path, cases: int, left_out: dict[str, str], failures: Sequence[Failure] = ()
) -> None:
    """Keep for the page how much was tried, what was covered and left out, and what failed."""
    from .contract_coverage import COVERAGE

    kept = {"cases": cases, "covered": COVERAGE.summary(), "gaps": COVERAGE.gaps()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**kept, "left_out": left_out, "failures": failures}), "utf-8")


def has_cases(path: Path) -> bool:
    """Tell whether a run tried any case, by what it kept."""
    return path.is_file() and bool(json.loads(path.read_text("utf-8"))["cases"])


def write(folder: Path, again: str) -> None:
    """Write fuzz.html from what was kept; print the replay line, and annotations in CI."""
    kept = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("fuzz*.json"))]
    failures = [Failure(*found) for each in kept for found in each["failures"]]
    failures += _failures(folder / "fuzz.xml")
    covered = [part for each in kept for part in each["covered"].split(", ")]
    rows = [part.partition(" ") for part in covered]
    found = "nothing was found" if any(each["cases"] for each in kept) else "nothing was tried"
    page = _PAGE.format(
        count=f"{len(failures)} failed" if failures else found,
        replay=html.escape(again),
        failures="".join(
            f"<h3>{html.escape(f.place)}</h3><pre>{html.escape(f.text)}</pre>" for f in failures
        )
        or "<p>None.</p>",
        covered="".join(f"<tr><td>{html.escape(b)}<td>{html.escape(a)}" for a, _, b in rows),
        gaps="".join(f"<li>{html.escape(gap)}" for each in kept for gap in each["gaps"]),
        left_out="".join(
            f"<li>{html.escape(place)}: {html.escape(what)}"
            for each in kept
            for place, what in each["left_out"].items()
        ),
    )
    (folder / "fuzz.html").write_text(page, "utf-8")
    if failures:
        sys.stdout.write(f"To replay all of it:\n  {again}\n")
        for name in ("auth", "header"):
            if setting(name):
                sys.stdout.write(f"These lines read credentials from FUZZ_{name.upper()}.\n")
    if failures and os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write("".join(_annotation(failure) for failure in failures))
    sys.stdout.flush()


def replay(seed: int, **settings: object) -> str:
    """Return the command that runs the same cases again: never with credentials."""
    named = {"seed": seed, **settings}
    if command := setting("command"):
        words = (f"FUZZ_{name.upper()}={shlex.quote(str(v))}" for name, v in named.items())
        return " ".join([command, *words])
    given = [word for name, v in named.items() for word in (f"--{name}", str(v))]
    return shlex.join(["signalwire-compat-fuzz", *shlex.split(setting("arguments")), *given])


def arguments(given: Mapping[str, Any]) -> str:
    """Return the arguments that are the same in each replay: no credentials among them."""
    single = ["spec", "url", "allow_host", "client", "hooks"]
    single += [] if given.get("learn") else ["known"]
    lines = [(n.replace("_", "-"), v) for n in single if (v := given.get(n))]
    lines += [(n, v) for n in ("include", "exclude") for v in given.get(n) or ()]
    return shlex.join(word for name, value in lines for word in (f"--{name}", value))


def with_variables(curl: str) -> str:
    """Let a curl line read its credentials from the variables of the command."""
    if setting("auth"):
        curl = curl.replace("-H 'Authorization: [Filtered]'", '-u "$FUZZ_AUTH"')
    if len(headers := setting("header").splitlines()) == 1:
        name = re.escape(headers[0].partition(":")[0].strip())
        curl = re.sub(rf"-H '{name}: \[Filtered\]'", '-H "$FUZZ_HEADER"', curl, flags=re.IGNORECASE)
    return curl


def _failures(path: Path) -> Iterator[Failure]:
    cases = ElementTree.parse(path).iter("testcase") if path.is_file() else ()  # noqa: S314  # ours
    for case in cases:
        for found in case:
            if found.tag in ("failure", "error"):
                text = (found.text or found.get("message") or "").strip()
                yield Failure(str(case.get("name")), text)


def _annotation(failure: Failure) -> str:
    """Write a line that GitHub and others show at the operation's line of the document."""
    spec = spec_file()
    lines = operation_lines(spec.read_text("utf-8"))
    line = next((n for label, n in lines.items() if label in f"{failure.place} {failure.text}"), 1)
    text = failure.text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    title = failure.place.replace(",", " ").replace(":", " ")
    return f"::error file={spec},line={line},title={title}::{text}\n"


def operation_lines(text: str) -> dict[str, int]:
    """Return the line of each operation in a document, by its method and path."""
    found = {}
    paths = _members(yaml.compose(text)).get("paths")
    for path, item in _members(paths).items():
        for method, operation in _members(item).items():
            found[f"{method.upper()} {path}"] = operation.start_mark.line
    return found


def _members(node: Any) -> dict[str, Any]:
    is_map = isinstance(node, yaml.MappingNode)
    return {key.value: value for key, value in node.value} if is_map else {}
