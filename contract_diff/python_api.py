"""Compare the Python names that callers may use: those that CHANGELOG.md calls public."""

from __future__ import annotations

from pathlib import Path

import griffe

from contract_diff.trees import PACKAGE

_PUBLIC_MODULES = ("api", "models")


def read_api(folder: Path) -> griffe.Module:
    """Read the public names of the package in a folder, without importing it."""
    package = griffe.load(PACKAGE, search_paths=[str(folder)])
    names = [*map(str, package.exports or ()), *_PUBLIC_MODULES]
    public = griffe.Module(PACKAGE)
    public.members.update(
        {name: package.members[name] for name in names if name in package.members}
    )
    return public


def compare_apis(old: griffe.Module, new: griffe.Module) -> list[str]:
    """List what breaks code that imports the package."""
    found = set()
    for breakage in griffe.find_breaking_changes(old, new):
        path = breakage.obj.path.removeprefix(f"{PACKAGE}.")
        module, _, rest = path.partition(".")
        values = (breakage.old_value, breakage.new_value)
        plain = all(isinstance(value, str | int) for value in values)
        detail = f" ({values[0]} became {values[1]})" if plain else ""
        # Callers find a name of a private module at the root.
        place = path if module in old.members else rest
        found.add(f"{place}: {breakage.kind.value}{detail}")
    return sorted(found)
