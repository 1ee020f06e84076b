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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import griffe
import yaml

from codegen import stamp
from contract_diff import recording
from contract_diff.operations import changes
from contract_diff.schemas import Change

PACKAGE = "signalwire_compat"
# What these headers say is between the transport and the server, and asks for nothing else.
_TRANSPORT = ("accept-encoding", "connection", "host")


class DiffError(Exception):
    """Why nothing could be compared, in one line."""


class Tree(NamedTuple):
    """One state of the project: its folder, contract, version and changelog."""

    folder: Path
    name: str = "this tree"

    @property
    def contract(self) -> dict[str, Any]:
        """The contract, as it stands there."""
        text = (self.folder / "openapi.yaml").read_text("utf-8")
        try:
            document: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise DiffError(
                f"openapi.yaml of {self.name} can't be read: run `make lint`"
            ) from error
        return document

    @property
    def version(self) -> tuple[int, ...]:
        """The version in pyproject.toml."""
        text = (self.folder / "pyproject.toml").read_text("utf-8")
        try:
            return as_numbers(str(tomllib.loads(text)["project"]["version"]))
        except (KeyError, ValueError) as error:
            raise DiffError(f"pyproject.toml of {self.name} has no version: {error}") from error

    @property
    def package(self) -> dict[str, bytes]:
        """Every file of the package."""
        root = self.folder / "generated" / PACKAGE
        files = (path for path in root.rglob("*.py") if "__pycache__" not in path.parts)
        return {str(path.relative_to(root)): path.read_bytes() for path in files}


def as_numbers(version: str) -> tuple[int, ...]:
    """Take a version apart. Errors: `ValueError` for what is none."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise ValueError(f"{version} is no version: write it as 1.2.3")
    return tuple(map(int, version.split(".")))


class Report(NamedTuple):
    """What changed for callers, and the version that it asks for."""

    contract: list[Change]
    python: list[str]
    wire: list[str]
    wanted: tuple[int, ...]
    version: tuple[int, ...]
    described: bool
    inputs: list[str] | None = None
    same: bool = False
    """Whether the base is what is checked out, and nothing for callers was edited since."""

    def explains(self, line: str) -> bool:
        """Whether a change of the contract is behind a difference on the wire."""
        operation = line.partition(",")[0]
        return any(
            (change.where.partition(":")[0] == operation and (change.breaking or change.on_wire))
            or (change.where == "servers" and change.on_wire and ": sent: request line: " in line)
            or (change.where.startswith(f"{operation}: reply ") and ": headers: accept: " in line)
            for change in self.contract
        )

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
            return f"The change {what}: run `make release VERSION={wanted}`, or a higher one."
        if not self.described:
            current = ".".join(map(str, self.version))
            return f"CHANGELOG.md has no entry for {current}: add `## {current}` and what changed."
        return ""


def compare(base: Tree, tree: Tree) -> Report:
    """Compare two states of the project. Errors: `DiffError` for what can't be compared."""
    old, version = base.version, tree.version
    packages = [side.folder / "generated" / PACKAGE for side in (base, tree)]
    if stale := stamp.stale(tree.folder, packages[1]):
        why = f"not what openapi.yaml and templates/ give (moved: {', '.join(stale)})"
        raise DiffError(f"generated/ is {why}: run `make generate` first")
    contracts = base.contract, tree.contract
    contract = changes(*contracts)
    python = python_changes(*(python_api(side.folder / "generated") for side in (base, tree)))
    played = recording.cases(contracts[0])
    on_wire = recording.differences(*(_recorded(side, played) for side in (base, tree)))
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
    known = (packages[0] / stamp.NAME).is_file()
    names = [line.partition(":")[0] for line in stamp.moved(*packages)] if known else None
    commits = (git("rev-parse", f"{name}^{{commit}}").stdout for name in (base.name, "HEAD"))
    same = wanted == old and len({*commits}) == 1
    return report._replace(wanted=wanted, described=described, inputs=names, same=same)


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


def _recorded(tree: Tree, played: list[dict[str, Any]]) -> dict[str, Any]:
    script, package = Path(__file__).with_name("recording.py"), tree.folder / "generated"
    command = [sys.executable, str(script), str(package)]
    result = subprocess.run(  # noqa: S603  # our own script
        command, input=json.dumps(played), check=False, capture_output=True, text=True
    )
    if result.returncode:
        words = result.stderr.strip() or f"exit status {result.returncode}"
        raise DiffError(f"the package of {tree.name} can't be used: {words[-300:]}")
    recording: dict[str, Any] = json.loads(result.stdout)
    return recording


def checked_out(base: str, folder: Path) -> Tree:
    """Write a state of the repository to a folder. Errors: `DiffError` if there is none."""
    names = ["openapi.yaml", "pyproject.toml", f"generated/{PACKAGE}"]
    archived = git("archive", base, *names)
    if archived.returncode:
        words = archived.stderr.decode().strip().splitlines()[-1]
        raise DiffError(f"BASE={base} is no state to compare with ({words}): name a tag or branch")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return Tree(folder, base)


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git here. Errors: `DiffError` where there is none."""
    try:
        return subprocess.run(["git", *arguments], check=False, capture_output=True)  # noqa: S603, S607
    except OSError as error:
        raise DiffError("git is needed to compare with another state: install it") from error


def default_base() -> str:
    """Give the last release, or else the main branch; empty where there is no repository."""
    commands = (
        ("describe", "--tags", "--abbrev=0", "--match", "v*"),
        # What is committed on main and not pushed is no change since main.
        ("rev-parse", "--verify", "--abbrev-ref", "origin/main"),
        ("rev-parse", "--verify", "--abbrev-ref", "main"),
    )
    for command in commands:
        answer = git(*command)
        if answer.returncode == 0:
            base = answer.stdout.decode().strip()
            if (
                command != commands[0]
                and git("rev-parse", "--is-shallow-repository").stdout == b"true\n"
            ):
                said = "a release may be out of sight: `git fetch --unshallow --tags` brings it"
                sys.stderr.write(f"This clone is shallow, and {said}.\n")
            return base
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
    lines += list(_wire_lines(report)) or ["The same bytes."]
    known = report.inputs is not None
    names = ", ".join(report.inputs or ()) or ("nothing" if known else "unknown, no record")
    lines += ["", "## Inputs of the generator", "", f"Moved: {names}."]
    lines += ["", "## Version", "", f"Asked for: {wanted} or higher. In pyproject.toml: {version}."]
    lines += ["", report.problem] if report.problem else []
    if report.same:
        lines += ["", f"{base} is what is checked out, and nothing for callers was edited since."]
        lines += ["`make diff BASE=HEAD~1` compares with an older state."]
    return "\n".join(lines) + "\n"


def _wire_lines(report: Report) -> Iterator[str]:
    """Write each difference once, with the number of cases that have it."""
    cases: dict[tuple[str, ...], list[str]] = {}
    for line in report.wire:
        case, _, what = line.partition("): ")
        mark = "as the contract says" if report.explains(line) else "compatible"
        mark = "**breaking**" if line in report.unexplained else mark
        way = case.rpartition("(")[2]
        cases.setdefault((mark, case.partition(",")[0], way, what), []).append(line)
    for (mark, *_), lines in cases.items():
        more = f" (and {len(lines) - 1} more like it)" if len(lines) > 1 else ""
        yield f"- {mark}: {lines[0]}{more}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `--help`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", default="", help="a tag, branch or commit")
    parser.add_argument("--output", type=Path, default=Path("reports/diff.md"))
    options = parser.parse_args(arguments)
    try:
        base = options.base or default_base()
        if not base:
            sys.stdout.write("There is no main branch or release here to compare with.\n")
            return 0
        with tempfile.TemporaryDirectory() as folder:
            report = compare(checked_out(base, Path(folder)), Tree(Path.cwd()))
    except DiffError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    text = markdown(report, base)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 1 if report.problem else 0


if __name__ == "__main__":
    sys.exit(main())
