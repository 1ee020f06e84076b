"""Write a new version into the pyproject.toml of each distribution and into CHANGELOG.md.

The changelog gets a draft from the report of `make diff`, unless it has an entry for this version
or for one that was never released.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from contract_diff import checkouts, report


class ReleaseError(Exception):
    """Why there is nothing to release, in one line."""


def bump(version: str, named_base: str = "") -> str:
    """Write the version; return a note about the changelog, if any.

    The draft covers the changes since `named_base`, or else since the base of `make diff`.

    Errors: `ReleaseError`, and nothing is written.
    """
    try:
        numbers = checkouts.parse_version(version)
    except ValueError as error:
        raise ReleaseError(f"VERSION={error}") from error
    if _is_released(version):
        raise ReleaseError(f"v{version} is already released: choose a higher version")
    base, tree = named_base or checkouts.default_base(), checkouts.Tree(Path.cwd())
    old = needed = tree.version
    entry = ""
    if base:
        with tempfile.TemporaryDirectory() as folder:
            before = checkouts.check_out(base, Path(folder))
            found = report.compare(before, tree)
            old, needed = before.version, found.needed
        if named_base or _is_released(base.removeprefix("v")) or not found.is_base:
            entry = _entry(found)
    if numbers < needed:
        least = f"use {checkouts.dotted(needed)} or higher"
        raise ReleaseError(f"VERSION={version} is too low for these changes: {least}")
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
    return bool(checkouts.git("tag", "--list", f"v{version}").stdout.strip())


def _with_section(
    history: str, version: str, old: checkouts.Version, entry: str
) -> tuple[str, str]:
    """Give the changelog a section for the version; return it with a note if it had one."""
    check = "check that it covers everything `make diff` reports"
    if re.search(rf"^## {re.escape(version)}\b", history, re.MULTILINE):
        return history, f"CHANGELOG.md keeps its section {version}: {check}."
    top = re.search(r"^## (\d+\.\d+\.\d+)\b", history, re.MULTILINE)
    if top and checkouts.parse_version(top[1]) > old and not _is_released(top[1]):
        history = f"{history[: top.start(1)]}{version}{history[top.end(1) :]}"
        return history, f"Section {top[1]} was never released and is now {version}: {check}."
    if not entry:
        todo = "set BASE= to the tag or commit released last, or write the section"
        raise ReleaseError(f"There is no earlier state to draft section {version} from: {todo}")
    place = re.search(r"^## ", history, re.MULTILINE)
    at = place.start() if place else len(history)
    return f"{history[:at]}## {version}\n\n{entry}{history[at:]}", ""


def _entry(found: report.Report) -> str:
    """Draft the entry from the changes of the contract, or else of the Python names."""
    parts: dict[str, list[str]] = {"Breaking": [], "Added": [], "Changed": []}
    for change in found.differences.contract:
        part = "Breaking" if change.breaking else "Added" if change.kind == "added" else "Changed"
        parts[part].append(f"- api: {change}.\n")
    if not found.differences.contract:
        parts["Breaking"] = [f"- client: {line}.\n" for line in found.differences.python]
    draft = "".join(f"### {part}\n\n{''.join(lines)}\n" for part, lines in parts.items() if lines)
    return draft or "### Changed\n\n- Nothing for callers.\n\n"


def main(arguments: list[str]) -> int:
    """Run the command: its arguments are the version and, optionally, a base."""
    try:
        note = bump(*arguments or [""])
    except (ReleaseError, checkouts.DiffError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{note}\n" if note else "")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
