"""Compare two states of the project, and write a report of what changed for callers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from codegen import stamp
from contract_diff import recording
from contract_diff.checkouts import DiffError, Tree, Version, dotted, git
from contract_diff.example_calls import cases
from contract_diff.operations import changes
from contract_diff.python_api import compare_apis, read_api
from contract_diff.schemas import Change

# These headers belong to the connection; the request asks for the same without them.
_CONNECTION = ("accept-encoding", "connection", "host")
_BREAKING = "**breaking**"


class Differences(NamedTuple):
    """What differs for callers: in the contract, in the Python API and on the wire."""

    contract: list[Change]
    python: list[str]
    wire: list[str]

    def mark(self, line: str) -> str:
        """Say whether a difference on the wire breaks callers, or follows from the contract."""
        operation = line.partition(",")[0]
        if any(
            (change.where.partition(":")[0] == operation and (change.breaking or change.on_wire))
            or (change.where == "servers" and change.on_wire and ": sent: request line: " in line)
            or (change.where.startswith(f"{operation}: reply ") and ": headers: accept: " in line)
            for change in self.contract
        ):
            return "as the contract says"
        harmless = any(f"headers: {name}:" in line for name in _CONNECTION)
        return "compatible" if harmless else _BREAKING

    @property
    def breaking(self) -> bool:
        """Whether code of callers breaks."""
        contract = any(change.breaking for change in self.contract)
        return contract or bool(self.python) or _BREAKING in map(self.mark, self.wire)

    def needed_version(self, old: Version, package_changed: bool) -> Version:
        """Choose the lowest version that may have these differences."""
        major, minor, patch = old
        if self.breaking:
            # Below 1.0 a minor version may break.
            return (major + 1, 0, 0) if major else (0, minor + 1, 0)
        if major and any(change.kind == "added" for change in self.contract):
            return (major, minor + 1, 0)
        return (major, minor, patch + 1) if self.contract or package_changed else old


class Report(NamedTuple):
    """The differences from a base, and whether version and changelog follow them."""

    base: str
    differences: Differences
    needed: Version
    version: Version
    has_entry: bool
    inputs: list[str]
    """The inputs of the generator that changed."""
    is_base: bool
    """Whether the base is checked out, and callers would notice no edit since."""

    @property
    def problem(self) -> str:
        """What to fix before a merge; empty if nothing."""
        if self.version < self.needed:
            what = "breaks" if self.differences.breaking else "affects"
            todo = f"run `make release VERSION={dotted(self.needed)}` or higher"
            return f"This change {what} callers: {todo}."
        if not self.has_entry:
            current = dotted(self.version)
            return f"CHANGELOG.md has no entry for {current}: add `## {current}` and what changed."
        return ""

    def markdown(self) -> str:
        """Write the report as Markdown."""
        contract, python, _ = self.differences
        version = f"In pyproject.toml: {dotted(self.version)}."
        sections = {
            "Contract": [
                f"- {_BREAKING if change.breaking else 'compatible'}: {change}"
                for change in sorted(contract, key=lambda change: not change.breaking)
            ]
            or ["Nothing."],
            "Python API": [f"- {_BREAKING}: {line}" for line in python] or ["Nothing that breaks."],
            "On the wire": list(self._wire_lines()) or ["The same bytes."],
            "Inputs of the generator": [f"Changed: {', '.join(self.inputs) or 'nothing'}."],
            "Version": [f"Required: {dotted(self.needed)} or higher. {version}"],
        }
        text = f"# Changes since {self.base}\n"
        for title, lines in sections.items():
            text += f"\n## {title}\n\n" + "".join(f"{line}\n" for line in lines)
        if self.problem:
            text += f"\n{self.problem}\n"
        if self.is_base:
            text += f"\n{self.base} is checked out, and no edit since would be seen by callers.\n"
            text += "`make diff BASE=HEAD~1` compares with an older state.\n"
        return text

    def _wire_lines(self) -> Iterator[str]:
        """Write each difference once, with the number of cases that have it."""
        cases: dict[tuple[str, ...], list[str]] = {}
        for line in self.differences.wire:
            case, _, what = line.partition("): ")
            key = case.partition(",")[0], case.rpartition("(")[2], what
            cases.setdefault(key, []).append(line)
        for lines in cases.values():
            more = f" (and {len(lines) - 1} more like it)" if len(lines) > 1 else ""
            yield f"- {self.differences.mark(lines[0])}: {lines[0]}{more}"


def compare(base: Tree, tree: Tree) -> Report:
    """Compare two states of the project. Errors: `DiffError` for what can't be compared."""
    old, version = base.version, tree.version
    if stale := stamp.stale(tree.folder, tree.package):
        what = f"generated/ is out of date (changed: {', '.join(stale)})"
        raise DiffError(f"{what}: run `make generate` first")
    contracts = base.contract, tree.contract
    apis = (read_api(side.package.parent) for side in (base, tree))
    played = cases(contracts[0])
    recordings = (_recorded(side, played) for side in (base, tree))
    differences = Differences(
        changes(*contracts), compare_apis(*apis), recording.differences(*recordings)
    )
    needed = differences.needed_version(old, base.read_package() != tree.read_package())
    changelog = (tree.folder / "CHANGELOG.md").read_text("utf-8")
    heading = re.search(rf"^## {re.escape(dotted(version))}\b", changelog, re.MULTILINE)
    inputs = [line.partition(":")[0] for line in stamp.changed_inputs(base.package, tree.package)]
    commits = {git("rev-parse", f"{name}^{{commit}}").stdout for name in (base.name, "HEAD")}
    return Report(
        base.name,
        differences,
        needed,
        version,
        has_entry=needed == old or heading is not None,
        inputs=inputs,
        is_base=needed == old and len(commits) == 1,
    )


def _recorded(tree: Tree, played: list[dict[str, object]]) -> dict[str, object]:
    try:
        return recording.record(recording.load_package(tree.package), played)
    except Exception as error:  # A broken package can raise anything.
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise DiffError(f"the package of {tree.name} can't be used: {reason}") from error
