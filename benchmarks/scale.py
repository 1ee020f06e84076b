"""Measure what a large contract costs: generation, and import of the package.

    python benchmarks/scale.py

Contracts of 10, 100 and 1,000 operations are generated, ten operations to a tag, each with a model
of its own for request and reply. Every figure of import is the least of several fresh processes
that take turns, so that the ratio of two of them holds on a busy machine, too.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SIZES = (10, 100, 1000)
ROUNDS = 15
IMPORTS = {
    "the package": "import signalwire_compat",
    "and one model": "import signalwire_compat; from signalwire_compat.models import Reply7",
    "and one operation": "import signalwire_compat; signalwire_compat.RestClient("
    "'p', 't', 'localhost').compat.tag0; from signalwire_compat.api.tag0 import operation_7",
}
_CLOCK = "import time; s = time.perf_counter(); {}; print(time.perf_counter() - s)"


def contract(size: int) -> dict[str, Any]:
    """Make a contract with `size` operations from the first operation of openapi.yaml."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    path, item = next(iter(document["paths"].items()))
    (method, template) = next((m, o) for m, o in item.items() if isinstance(o, dict))
    template = {key: value for key, value in template.items() if key != "callbacks"}
    schemas = document["components"]["schemas"]
    document["paths"], document["tags"] = {}, []
    for number in range(size):
        tag = f"tag{number // 10}"
        operation = copy.deepcopy(template)
        operation.update(operationId=f"operation_{number}", tags=[tag])
        (body,) = operation["requestBody"]["content"].values()
        (reply,) = operation["responses"]["201"]["content"].values()
        for name, media in (("Body", body), ("Reply", reply)):
            original = schemas[media["schema"]["$ref"].rpartition("/")[2]]
            schemas[f"{name}{number}"] = copy.deepcopy(original)
            media["schema"] = {"$ref": f"#/components/schemas/{name}{number}"}
        document["paths"][f"{path}/{number}"] = {method: operation}
        if number % 10 == 0:
            document["tags"].append({"name": tag, "description": f"Operations of {tag}."})
    return document


def seconds(command: list[str], folder: Path) -> float:
    """Give what a command prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    """Generate, import, print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        folders = {size: Path(temporary) / str(size) for size in SIZES}
        print("operations  generation  an operation")
        for size, folder in folders.items():
            folder.mkdir()
            spec = folder / "openapi.yaml"
            spec.write_text(yaml.safe_dump(contract(size), sort_keys=False), "utf-8")
            command = [sys.executable, "-m", "codegen.generate", "--spec", str(spec)]
            began = time.perf_counter()
            subprocess.run(
                [*command, "--output", str(folder / "signalwire_compat")], cwd=ROOT, check=True
            )
            took = time.perf_counter() - began
            print(f"{size:10}  {took:8.1f} s  {1000 * took / size:9.1f} ms", flush=True)
        print("\nimport of                 10 operations     100   1,000   ratio of 1,000 to 10")
        for words, code in IMPORTS.items():
            command = [sys.executable, "-c", _CLOCK.format(code)]
            took_by: dict[int, list[float]] = {size: [] for size in SIZES}
            for size in SIZES * (ROUNDS + 1):
                took_by[size].append(seconds(command, folders[size]))
            # The first one writes the bytecode.
            few, some, many = (1000 * min(took_by[size][1:]) for size in SIZES)
            print(f"{words:20} {few:15.1f} ms {some:7.1f} {many:7.1f}   {many / few:.2f}")


if __name__ == "__main__":
    main()
