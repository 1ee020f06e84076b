"""Write the new version into the pyproject.toml of each distribution and into CHANGELOG.md.

The changelog gets what `make diff` tells, as a draft, unless it has an entry already: one of that
version, or one that was written for a version that was never released.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from contract_diff import __main__ as diff


class ReleaseError(Exception):
    """Why there is nothing to release, in one line."""


def bump(version: str, named: str = "") -> str:
    """Write the version, and say what is to be known of the changelog.

    What is drafted is told since the state that is named, or else since the base of `make diff`.

    Errors: `ReleaseError`, and nothing is written.
    """
    try:
        numbers = diff.as_numbers(version)
    except ValueError as error:
        raise ReleaseError(f"VERSION={error}") from error
    if _is_released(version):
        raise ReleaseError(f"v{version} is released already: take a higher version")
    base, tree = named or diff.default_base(), diff.Tree(Path.cwd())
    old = wanted = tree.version
    entry = ""
    if base:
        with tempfile.TemporaryDirectory() as folder:
            before = diff.checked_out(base, Path(folder))
            report, old = diff.compare(before, tree), before.version
        wanted = report.wanted
        if named or _is_released(base.removeprefix("v")) or not report.same:
            entry = _entry(report)
    if numbers < wanted:
        least = ".".join(map(str, wanted))
        raise ReleaseError(f"VERSION={version} is too low for what changed: take {least} or higher")
    changelog = Path("CHANGELOG.md")
    history, note = _with_section(changelog.read_text("utf-8"), version, old, entry)
    line = f'version = "{version}"'
    for project in (Path("pyproject.toml"), *Path().glob("*/pyproject.toml")):
        text = project.read_text("utf-8")
        text = re.sub(r'^version = ".*"$', line, text, count=1, flags=re.MULTILINE)
        project.write_text(text, "utf-8")
    changelog.write_text(history, "utf-8")
    return note


def _is_released(version: str) -> bool:
    return bool(diff.git("tag", "--list", f"v{version}").stdout.strip())


def _with_section(history: str, version: str, old: tuple[int, ...], entry: str) -> tuple[str, str]:
    """Give the changelog a section of the version; say where one was there already."""
    kept = "look whether it tells all that `make diff` does"
    if re.search(rf"^## {re.escape(version)}\b", history, re.MULTILINE):
        return history, f"CHANGELOG.md has a section {version} already, which stays: {kept}."
    top = re.search(r"^## (\d+\.\d+\.\d+)\b", history, re.MULTILINE)
    if top and diff.as_numbers(top[1]) > old and not _is_released(top[1]):
        history = f"{history[: top.start(1)]}{version}{history[top.end(1) :]}"
        return history, f"The section {top[1]} was never released, and is {version} now: {kept}."
    if not entry:
        what = "name what was released last, BASE= a tag or a commit, or write the section"
        raise ReleaseError(f"There is no earlier state to draft section {version} from: {what}")
    place = re.search(r"^## ", history, re.MULTILINE)
    at = place.start() if place else len(history)
    return f"{history[:at]}## {version}\n\n{entry}{history[at:]}", ""


def _entry(report: diff.Report) -> str:
    """Draft the entry for what changed in the contract, what breaks first."""
    parts: dict[str, list[str]] = {"Breaking": [], "Added": [], "Changed": []}
    for change in report.contract:
        part = "Breaking" if change.breaking else "Added" if change.kind == "added" else "Changed"
        parts[part].append(f"- api: {change}.\n")
    told = "".join(f"### {part}\n\n{''.join(lines)}\n" for part, lines in parts.items() if lines)
    return told or "### Changed\n\n- Nothing for callers.\n\n"


def main(arguments: list[str]) -> int:
    """Run the command: its arguments are the version, and a base where one is named."""
    try:
        note = bump(*arguments or [""])
    except (ReleaseError, diff.DiffError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{note}\n" if note else "")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
