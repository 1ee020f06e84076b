"""Say what a change of the contract, the templates or the package means for those who call.

Compares the working tree with a base: the contract, the Python API, and what is on the wire. The
report is printed and written as Markdown. The exit status is 1 when the version is too low for
what changed, or when the changelog has no entry for it.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import griffe
import inputs
import wire
import yaml
from contract_diff import changes
from schema_diff import Change

PACKAGE = "signalwire_compat"
# What these headers say is between the transport and the server, and asks for nothing else.
_TRANSPORT = ("accept-encoding", "connection", "host")


class DiffError(Exception):
    """Why nothing could be compared, in one line."""


class Tree(NamedTuple):
    """One state of the project: its folder, contract, version and changelog."""

    folder: Path

    @property
    def contract(self) -> dict[str, Any]:
        """The contract, as it stands there."""
        document: dict[str, Any] = yaml.safe_load((self.folder / "openapi.yaml").read_text("utf-8"))
        return document

    @property
    def version(self) -> tuple[int, ...]:
        """The version in pyproject.toml."""
        text = (self.folder / "pyproject.toml").read_text("utf-8")
        return tuple(map(int, tomllib.loads(text)["project"]["version"].split(".")))

    @property
    def package(self) -> dict[str, bytes]:
        """Every file of the package."""
        root = self.folder / "generated" / PACKAGE
        files = (path for path in root.rglob("*.py") if "__pycache__" not in path.parts)
        return {str(path.relative_to(root)): path.read_bytes() for path in files}


class Report(NamedTuple):
    """What changed for callers, and the version that it asks for."""

    contract: list[Change]
    python: list[str]
    wire: list[str]
    wanted: tuple[int, ...]
    version: tuple[int, ...]
    described: bool
    inputs: list[str] | None = None

    def explains(self, line: str) -> bool:
        """Whether a change of the contract is behind a difference on the wire."""
        operation = line.partition(",")[0]
        return any(change.where.partition(":")[0] == operation for change in self.contract)

    @property
    def unexplained(self) -> list[str]:
        """The differences on the wire that no change of the contract is behind."""
        ours = tuple(f"headers: {name}:" for name in _TRANSPORT)
        return [
            line
            for line in self.wire
            if not self.explains(line) and not any(name in line for name in ours)
        ]

    @property
    def breaking(self) -> bool:
        """Whether code of callers breaks."""
        contract = any(change.breaking for change in self.contract)
        return contract or bool(self.python or self.unexplained)

    @property
    def problem(self) -> str:
        """What must be mended before a merge; empty if nothing."""
        wanted = ".".join(map(str, self.wanted))
        if self.version < self.wanted:
            what = "breaks callers" if self.breaking else "changes what callers get"
            return f"The change {what}: write version {wanted} or higher into pyproject.toml."
        if not self.described:
            current = ".".join(map(str, self.version))
            return f"CHANGELOG.md has no entry for {current}: add `## {current}` and what changed."
        return ""


def compare(base: Tree, tree: Tree) -> Report:
    """Compare two states of the project."""
    contract = changes(base.contract, tree.contract)
    python = python_changes(*(python_api(side.folder / "generated") for side in (base, tree)))
    played = wire.cases(base.contract)
    on_wire = wire.differences(*(_recorded(side.folder, played) for side in (base, tree)))
    old, version = base.version, tree.version
    report = Report(contract, python, on_wire, old, version, described=True)
    wanted = old
    if report.breaking:
        # Below 1.0 a minor version may break.
        wanted = (old[0] + 1, 0, 0) if old[0] else (0, old[1] + 1, 0)
    elif any(change.kind == "added" for change in contract) and old[0]:
        wanted = (old[0], old[1] + 1, 0)
    elif contract or base.package != tree.package:
        wanted = (old[0], old[1], old[2] + 1)
    changelog = (tree.folder / "CHANGELOG.md").read_text("utf-8")
    heading = rf"^## {re.escape('.'.join(map(str, version)))}\b"
    described = wanted == old or re.search(heading, changelog, re.MULTILINE) is not None
    packages = [side.folder / "generated" / PACKAGE for side in (base, tree)]
    known = (packages[0] / inputs.NAME).is_file()
    names = [line.partition(":")[0] for line in inputs.moved(*packages)] if known else None
    return report._replace(wanted=wanted, described=described, inputs=names)


def python_api(folder: Path) -> griffe.Object | griffe.Alias:
    """Read the names of the package in a folder, without importing it."""
    return griffe.load(PACKAGE, search_paths=[str(folder)])


def python_changes(
    before: griffe.Object | griffe.Alias, after: griffe.Object | griffe.Alias
) -> list[str]:
    """List what code that imports the package would no longer find, or find changed."""
    public = {str(name) for name in before.exports or ()}
    found = set()
    for breakage in griffe.find_breaking_changes(before, after):
        path = breakage.obj.path.removeprefix(f"{PACKAGE}.")
        module, _, rest = path.partition(".")
        names = {module, rest.partition(".")[0]}
        if module in ("api", "models") or names & public:
            values = (breakage.old_value, breakage.new_value)
            known = all(isinstance(value, str | int) for value in values)
            detail = f" ({values[0]} became {values[1]})" if known else ""
            found.add(f"{path}: {breakage.kind.value}{detail}")
    return sorted(found)


def _recorded(folder: Path, played: list[dict[str, Any]]) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("wire.py")), str(folder / "generated")]
    result = subprocess.run(  # noqa: S603  # our own script
        command, input=json.dumps(played), check=False, capture_output=True, text=True
    )
    if result.returncode:
        raise DiffError(f"the package of {folder.name} can't be played: {result.stderr[-300:]}")
    recording: dict[str, Any] = json.loads(result.stdout)
    return recording


def checked_out(base: str, folder: Path) -> Tree:
    """Write a state of the repository to a folder. Errors: `DiffError` if there is none."""
    names = ["openapi.yaml", "pyproject.toml", f"generated/{PACKAGE}"]
    archived = subprocess.run(  # noqa: S603
        ["git", "archive", base, *names],  # noqa: S607
        check=False,
        capture_output=True,
    )
    if archived.returncode:
        words = archived.stderr.decode().strip().splitlines()[-1]
        raise DiffError(f"BASE={base} is no state to compare with ({words}): name a tag or branch")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return Tree(folder)


def default_base() -> str:
    """Give the last release, or else the main branch; empty where there is no repository."""
    commands = (
        ("describe", "--tags", "--abbrev=0", "--match", "v*"),
        ("rev-parse", "--verify", "--abbrev-ref", "main"),
        ("rev-parse", "--verify", "--abbrev-ref", "origin/main"),
    )
    for command in commands:
        answer = subprocess.run(  # noqa: S603
            ["git", *command],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
        if answer.returncode == 0:
            return answer.stdout.strip()
    return ""


def markdown(report: Report, base: str) -> str:
    """Write the report for people."""
    version, wanted = (".".join(map(str, part)) for part in (report.version, report.wanted))
    lines = [f"# Changes since {base}", "", "## Contract", ""]
    lines += [
        f"- **breaking**: {change}" if change.breaking else f"- compatible: {change}"
        for change in sorted(report.contract, key=lambda change: not change.breaking)
    ] or ["Nothing."]
    lines += ["", "## Python API", ""]
    lines += [f"- **breaking**: {line}" for line in report.python] or ["Nothing that breaks."]
    lines += ["", "## On the wire", ""]
    lines += [
        f"- {'as the contract says' if report.explains(line) else 'compatible'}: {line}"
        if line not in report.unexplained
        else f"- **breaking**: {line}"
        for line in report.wire
    ] or ["The same bytes."]
    known = report.inputs is not None
    names = ", ".join(report.inputs or ()) or ("nothing" if known else "unknown, no record")
    lines += ["", "## Inputs of the generator", "", f"Moved: {names}."]
    lines += ["", "## Version", "", f"Asked for: {wanted} or higher. In pyproject.toml: {version}."]
    lines += ["", report.problem] if report.problem else []
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `--help`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", default="", help="a tag, branch or commit")
    parser.add_argument("--output", type=Path, default=Path("reports/diff.md"))
    options = parser.parse_args(arguments)
    base = options.base or default_base()
    if not base:
        sys.stdout.write("There is no main branch or release here to compare with.\n")
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = compare(checked_out(base, Path(folder)), Tree(Path.cwd()))
    except DiffError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    text = markdown(report, base)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 1 if report.problem else 0


if __name__ == "__main__":
    sys.exit(main())
