"""Record what a package was generated from, and tell which of it has changed since.

    python -m codegen.stamp COMMITTED GENERATED

says in one line why two packages differ. The record has one line for each input, so that it merges
line by line.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "inputs.txt"
_HEAD = "# What this package was generated from; `make check-generated` says which input changed.\n"


def inputs(spec: Path, root: Path = ROOT, config: Path | None = None) -> dict[str, str]:
    """Name every input that shapes the package, with its version or a hash of its content."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    codegen = root / "codegen"
    return {
        "spec": _digest([spec]),
        "codegen": _digest([*codegen.rglob("*.py"), *codegen.rglob("*.jinja")]),
        "runtime": _digest((root / "runtime").rglob("*.py")),
        "generator-config.yml": _digest([config or root / "generator-config.yml"]),
        "openapi-python-client": version("openapi-python-client"),
        "ruff": version("ruff"),
        "version": project["version"],
    }


def record(spec: Path, config: Path | None = None) -> str:
    """Write the record of the inputs."""
    return _HEAD + "".join(
        f"{name} {value}\n" for name, value in sorted(inputs(spec, config=config).items())
    )


def changed_inputs(committed: Path, generated: Path) -> list[str]:
    """List the inputs in which two packages differ: `name: old became new`."""
    before, after = _read(committed / NAME), _read(generated / NAME)
    return [
        f"{name}: {before.get(name, 'nothing')} became {after.get(name, 'nothing')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def stale(root: Path, package: Path) -> list[str]:
    """Name the inputs, except the version, that changed since the package was generated."""
    recorded, current = _read(package / NAME), inputs(root / "openapi.yaml", root)
    names = (name for name in current if recorded and name != "version")
    return [name for name in names if recorded.get(name) != current[name]]


def _read(file: Path) -> dict[str, str]:
    """Read a record. Two lines of one input, left by a merge, become one value of their own."""
    found: dict[str, str] = {}
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        name, _, value = line.partition(" ")
        if name != "#":
            found[name] = f"{found[name]} and {value}" if name in found else value
    return found


def _digest(files: Iterable[Path]) -> str:
    # For one file, this is what `sha256sum` prints. No absolute path: the same on every machine.
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    if len(digests) != 1:
        digests = [hashlib.sha256("".join(digests).encode()).hexdigest()]
    return f"sha256:{digests[0][:12]}"


def main(arguments: list[str]) -> int:
    """Say why two packages differ; see the docstring of this module."""
    found = changed_inputs(*map(Path, arguments))
    why = "; ".join(found) or "no input changed, so it was edited by hand"
    sys.stderr.write(f"generated/ differs from what `make generate` writes: {why}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
