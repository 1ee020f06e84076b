"""Write a new version into the pyproject.toml of each distribution and into CHANGELOG.md.

The changelog gets what `make diff` tells, as a draft, unless it has an entry already.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import diff


class ReleaseError(Exception):
    """Why there is nothing to release, in one line."""


def bump(version: str) -> None:
    """Write the version. Errors: `ReleaseError`, and nothing is written."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise ReleaseError(f"VERSION={version} is no version: write it as 1.2.3")
    released = subprocess.run(  # noqa: S603
        ["git", "tag", "--list", f"v{version}"],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
    )
    if released.stdout.strip():
        raise ReleaseError(f"v{version} is released already: take a higher version")
    base, tree = diff.default_base(), diff.Tree(Path.cwd())
    wanted, entry = tree.version, ""
    if base:
        with tempfile.TemporaryDirectory() as folder:
            report = diff.compare(diff.checked_out(base, Path(folder)), tree)
        wanted = report.wanted
        entry = _entry(report)
    if tuple(map(int, version.split("."))) < wanted:
        least = ".".join(map(str, wanted))
        raise ReleaseError(f"VERSION={version} is too low for what changed: take {least} or higher")
    changelog = Path("CHANGELOG.md")
    history = changelog.read_text("utf-8")
    if not re.search(rf"^## {re.escape(version)}\b", history, re.MULTILINE):
        nothing = "### Changed\n\n- Nothing for callers.\n\n"
        heading = f"## {version}\n\n{entry or nothing}"
        history = re.sub(r"^## ", lambda _: f"{heading}## ", history, count=1, flags=re.MULTILINE)
    line = f'version = "{version}"'
    for project in (Path("pyproject.toml"), *Path().glob("*/pyproject.toml")):
        text = project.read_text("utf-8")
        text = re.sub(r'^version = ".*"$', line, text, count=1, flags=re.MULTILINE)
        project.write_text(text, "utf-8")
    changelog.write_text(history, "utf-8")


def _entry(report: diff.Report) -> str:
    """Draft the entry for what changed in the contract, what breaks first."""
    parts: dict[str, list[str]] = {"Breaking": [], "Added": [], "Changed": []}
    for change in report.contract:
        part = "Breaking" if change.breaking else "Added" if change.kind == "added" else "Changed"
        parts[part].append(f"- api: {change}.\n")
    return "".join(f"### {part}\n\n{''.join(lines)}\n" for part, lines in parts.items() if lines)


def main(arguments: list[str]) -> int:
    """Run the command: the version is its one argument."""
    try:
        bump(arguments[0] if arguments else "")
    except (ReleaseError, diff.DiffError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("Look at CHANGELOG.md; when the gate is green, commit and tag.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
