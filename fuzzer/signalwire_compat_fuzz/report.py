"""What is left after a run: lines at its end, a page of HTML, and annotations for CI systems."""

import html
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import yaml

from .options import setting, spec_file

_PAGE = """<!doctype html><meta charset="utf-8"><title>Contract fuzzing</title>
<style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}
pre{{background:#f4f4f4;padding:.7rem;overflow-x:auto}}td{{padding:.1rem 1rem .1rem 0}}</style>
<h1>Contract fuzzing: {count}</h1><p>To replay: <code>{replay}</code></p>
<h2>Failures</h2>{failures}<h2>Covered</h2><table>{covered}</table>
<h2>Not covered</h2><ul>{gaps}</ul><h2>Left out</h2><ul>{left_out}</ul>
"""


class Failure(NamedTuple):
    """A failed part of a run: the operation or test, and what to read about it."""

    place: str
    text: str


def tell(told: dict[str, Any], path: Path) -> None:
    """Print the coverage and what was left out of a run of a server, and keep both."""
    from .contract_coverage import COVERAGE

    COVERAGE.merge(told.get("covered", []))
    lines = [f"left out: {place}: {what}" for place, what in told.get("left_out", {}).items()]
    lines += [f"covered: {COVERAGE.summary()}"]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()  # What the next program writes comes after it.
    keep(path, told.get("cases", 0), told.get("left_out", {}))


def keep(path: Path, cases: int, left_out: dict[str, str]) -> None:
    """Keep for the page how much was tried, what was covered, and what was left out."""
    from .contract_coverage import COVERAGE

    kept = {"cases": cases, "covered": COVERAGE.summary(), "gaps": COVERAGE.gaps()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**kept, "left_out": left_out}), "utf-8")


def has_cases(path: Path) -> bool:
    """Tell whether a run tried any case, by what it kept."""
    return path.is_file() and bool(json.loads(path.read_text("utf-8"))["cases"])


def write(folder: Path, again: str) -> None:
    """Write fuzz.html from the JUnit files; print the replay line, and annotations in CI."""
    failures = [found for path in sorted(folder.glob("fuzz*.xml")) for found in _failures(path)]
    kept = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("fuzz*.json"))]
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
    lines = [(n, v) for n in ("spec", "url", "client", "hooks") if (v := given.get(n))]
    lines += [(n, v) for n in ("include", "exclude") for v in given.get(n) or ()]
    return shlex.join(word for name, value in lines for word in (f"--{name}", value))


def _failures(path: Path) -> Iterator[Failure]:
    for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314  # of our own run
        for found in case:
            if found.tag in ("failure", "error"):
                yield Failure(
                    str(case.get("name")), (found.text or found.get("message") or "").strip()
                )


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
