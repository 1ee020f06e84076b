"""What a package is generated from, in one small file of the package; and which of it has moved.

    python -m codegen.stamp COMMITTED GENERATED

compares two packages by their files and says, in one line, why they differ. A line of the file is
one input, so that it merges line by line.
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
_HEAD = "# What this package was generated from; `make check-generated` says which input moved.\n"
# What these do to the package, no version says.
_TOOLS = ("schema_code.py", "generate.py", "stamp.py")


def inputs(spec: Path, root: Path = ROOT) -> dict[str, str]:
    """Name every input with its version, or with a hash where it has none."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    templates = root / "codegen" / "templates"
    return {
        "spec": _digest([spec]),
        "templates": _digest([*templates.rglob("*.jinja"), *(root / "runtime").glob("*.py")]),
        "tools": _digest(root / "codegen" / name for name in _TOOLS),
        "generator-config.yml": _digest([root / "generator-config.yml"]),
        "openapi-python-client": version("openapi-python-client"),
        "ruff": version("ruff"),
        "version": project["version"],
    }


def written(spec: Path) -> str:
    """Write the file."""
    lines = (f"{name} {value}\n" for name, value in sorted(inputs(spec).items()))
    return _HEAD + "".join(lines)


def moved(committed: Path, generated: Path) -> list[str]:
    """List the inputs that are not those of the committed package: `name: old became new`."""
    before, after = _read(committed / NAME), _read(generated / NAME)
    return [
        f"{name}: {before.get(name, 'nothing')} became {after.get(name, 'nothing')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def stale(root: Path, package: Path) -> list[str]:
    """Name the inputs that have moved since the package was generated, but for its version."""
    recorded, current = _read(package / NAME), inputs(root / "openapi.yaml", root)
    names = (name for name in current if recorded and name != "version")
    return [name for name in names if recorded.get(name) != current[name]]


def _read(file: Path) -> dict[str, str]:
    """Read the file; what a merge has left of two branches is a value of its own."""
    found: dict[str, str] = {}
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        name, _, value = line.partition(" ")
        if name != "#":
            found[name] = f"{found[name]} and {value}" if name in found else value
    return found


def _digest(files: Iterable[Path]) -> str:
    # Of one file it is what `sha256sum` says. No path is in it: the same on every machine.
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    if len(digests) > 1:
        digests = [hashlib.sha256("".join(digests).encode()).hexdigest()]
    return f"sha256:{digests[0][:12]}"


def main(arguments: list[str]) -> int:
    """Say why two packages differ; see the text of this module."""
    found = moved(*map(Path, arguments))
    why = "; ".join(found) or "no input has moved, so it was edited by hand"
    sys.stderr.write(f"generated/ is not what openapi.yaml and templates/ give: {why}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
