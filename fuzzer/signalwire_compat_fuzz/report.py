"""What is left after a run: lines at its end, a page of HTML, and annotations for CI systems."""

import html
import json
import os
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
from .redaction import redacted, variables_lines

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


class Finding(NamedTuple):
    """What a run found: its operation or test, what to read about it, its test in JUnit."""

    place: str
    text: str
    test: str = ""


def report_server(ended: "Ended", folder: Path) -> None:
    """Print how a run of a server ended, and keep that for the page."""
    from .contract_coverage import COVERAGE

    results = ended.results
    COVERAGE.merge(results["covered"])
    findings = [Finding(*found) for found in results["findings"]]
    lines = [*_finding_lines(findings)]
    is_unclear = ended.status == 1 and not lines  # Such as a warning that fails a run.
    if is_unclear or ended.status not in (0, 1, INTERRUPTED):
        lines.append(redacted(ended.output))
    lines += [*_server_lines(ended), f"covered: {COVERAGE.summary()}"]
    lines += [f"stopped: {results['stopped']}"] if "stopped" in results else []
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()  # What the next program writes comes after it.
    (folder / "fuzz-server.txt").write_text(redacted(ended.output), "utf-8")
    _rewrite(folder / "fuzz-server.xml", findings)
    keep(folder / "fuzz-server.json", results["cases"], results["left_out"], findings)


def _server_lines(ended: "Ended") -> Iterator[str]:
    results = ended.results
    if count := results["known"]:
        yield f"known: {count} of the failures in the --known file"
    yield from (f"left out: {place}: {what}" for place, what in results["left_out"].items())
    if results["left_out"]:
        half = f"half of the replies took {1000 * results['reply_seconds']:.0f} ms or more"
        yield f"For more cases, give more --seconds: {half}."
    for place, replies in results["never_accepted"].items():
        statuses = " or ".join(sorted(replies))
        if place in ended.untested():
            yield f"not tested: {place}: every reply was {statuses}: check --auth or --header"
        else:
            yield f"never accepted: {place}: the replies to its valid cases were {statuses}"


def _finding_lines(findings: list[Finding]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.place] += 1
        if counts[finding.place] <= _SHOWN:
            yield f"\nFAILED {finding.place}: {finding.text}"
    for place, count in counts.items():
        titles = [f.text.partition("\n")[0] for f in findings if f.place == place][_SHOWN:]
        if titles:
            yield f"\n{count - _SHOWN} more of {place} in reports/fuzz.html: {', '.join(titles)}"
    if findings:
        yield ""


def _rewrite(junit: Path, findings: list[Finding]) -> None:
    """Give the failures in a JUnit file of schemathesis the text that is printed."""
    try:
        tree = ElementTree.parse(junit)  # noqa: S314  # of our own run
    except (OSError, ElementTree.ParseError):  # It was ended before it wrote one.
        return
    for case in tree.iter("testcase"):
        texts = [finding.text for finding in findings if finding.test == case.get("name")]
        for number, failure in enumerate(case.findall("failure") if texts else ()):
            if number:
                case.remove(failure)  # The first one holds all.
            failure.text = "\n\n".join(texts)
        for error in case.findall("error"):
            error.text = redacted(error.text or "")
    tree.write(junit, "utf-8", xml_declaration=True)


def keep(
    path: Path, cases: int, left_out: dict[str, str], findings: Sequence[Finding] = ()
) -> None:
    """Keep for the page how much was tried, what was covered and left out, and what failed."""
    from .contract_coverage import COVERAGE

    kept = {"cases": cases, "covered": COVERAGE.summary(), "gaps": COVERAGE.gaps()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**kept, "left_out": left_out, "findings": findings}), "utf-8")


def has_cases(path: Path) -> bool:
    """Tell whether a run tried any case, by what it kept."""
    return path.is_file() and bool(json.loads(path.read_text("utf-8"))["cases"])


def write(folder: Path, again: str) -> None:
    """Write fuzz.html from what was kept; print the replay line, and annotations in CI."""
    kept = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("fuzz*.json"))]
    findings = [Finding(*found) for each in kept for found in each["findings"]]
    findings += _client_findings(folder / "fuzz.xml")
    covered = [part for each in kept for part in each["covered"].split(", ")]
    rows = [part.partition(" ") for part in covered]
    found = "nothing was found" if any(each["cases"] for each in kept) else "nothing was tried"
    page = _PAGE.format(
        count=f"{len(findings)} failed" if findings else found,
        replay=html.escape(again),
        failures="".join(
            f"<h3>{html.escape(f.place)}</h3><pre>{html.escape(f.text)}</pre>" for f in findings
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
    if findings:
        sys.stdout.write(f"To replay all of it:\n  {again}\n")
        sys.stdout.write("".join(f"{line}\n" for line in variables_lines()))
    if findings and os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write("".join(map(_annotation, findings)))
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


def _client_findings(junit: Path) -> Iterator[Finding]:
    try:
        cases = ElementTree.parse(junit).iter("testcase")  # noqa: S314  # of our own run
    except (OSError, ElementTree.ParseError):
        return
    for case in cases:
        for found in case:
            if found.tag in ("failure", "error"):
                text = (found.text or found.get("message") or "").strip()
                yield Finding(str(case.get("name")), text)


def _annotation(finding: Finding) -> str:
    """Write a line that GitHub and others show at the operation's line of the document."""
    spec = spec_file()
    lines = operation_lines(spec.read_text("utf-8"))
    labels = [label for label in lines if label in finding.place]
    labels = labels or [label for label in lines if label in finding.text]
    line = lines[max(labels, key=len)] if labels else 1  # One can begin as another one does.
    text = finding.text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    title = finding.place.replace(",", " ").replace(":", " ")
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
