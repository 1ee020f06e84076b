"""Compare the Python names that callers may use: those that CHANGELOG.md calls public."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import griffe

from contract_diff.checkouts import PACKAGE


def read_api(folder: Path) -> griffe.Module:
    """Read the public names of the package in a folder, without importing it."""
    package = griffe.load(PACKAGE, search_paths=[str(folder)])
    public = _only(package, [*map(str, package.exports or ()), "api"])
    models = package.modules["models"]
    public.members["models"] = _only(models, map(str, models.exports or ()))
    return public


def _only(
    module: griffe.Module | griffe.Object | griffe.Alias, names: Iterable[str]
) -> griffe.Module:
    """Make a module that holds only these names of another one."""
    found = griffe.Module(module.name)
    found.members.update({name: module.members[name] for name in names if name in module.members})
    return found


def compare_apis(old: griffe.Module, new: griffe.Module) -> list[str]:
    """List what breaks code that imports the package."""
    found = set()
    for breakage in griffe.find_breaking_changes(old, new):
        obj = breakage.obj
        if obj.name.startswith("_") and obj.parent and obj.parent.is_module:
            continue
        path = obj.path.removeprefix(f"{PACKAGE}.")
        module, _, rest = path.partition(".")
        values = (breakage.old_value, breakage.new_value)
        plain = all(isinstance(value, str | int) for value in values)
        detail = f" ({values[0]} became {values[1]})" if plain else ""
        # Callers find a name of a private module at the root.
        place = path if module in old.members else rest
        found.add(f"{place}: {breakage.kind.value}{detail}")
    return sorted(found)
