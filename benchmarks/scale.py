"""Measure what a large contract costs: generation, and import of the package.

    python benchmarks/scale.py

Generates contracts of 10, 100 and 1,000 operations, ten operations to a tag, each with models of
its own for request and reply. A figure of generation is CPU time, one of import the best of several
new processes. The sizes take turns, so that the ratio of two figures holds on a busy machine too.
"""

import copy
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SIZES = (10, 100, 1000)
ROUNDS = 15
IMPORTS = {
    "the package": "import signalwire_compat",
    "and one model": "from signalwire_compat.models import Reply7",
    "and one operation": "import signalwire_compat; signalwire_compat.RestClient("
    "'b3877c40-da60-4998-90ad-b792e98472ac', 't', 'localhost').compat.tag0; "
    "from signalwire_compat.api.tag0 import operation_7",
}


def contract(size: int) -> dict[str, Any]:
    """Make a contract of `size` operations, copies of the purchase in openapi.yaml."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    path, methods = next(iter(document["paths"].items()))
    item = {"post": methods["post"]}
    del item["post"]["callbacks"], item["post"]["responses"]["201"]["links"]
    schemas = document["components"]["schemas"]
    tags = [f"tag{number}" for number in range(size // 10)]
    document["tags"] = [{"name": tag, "description": f"Operations of {tag}."} for tag in tags]
    document["paths"] = {}
    for number in range(size):
        copied = document["paths"][f"{path}/{number}"] = copy.deepcopy(item)
        operation = copied["post"]
        operation.update(operationId=f"operation_{number}", tags=[tags[number // 10]])
        (body,) = operation["requestBody"]["content"].values()
        (reply,) = operation["responses"]["201"]["content"].values()
        for name, media in ((f"Body{number}", body), (f"Reply{number}", reply)):
            original = media["schema"]["$ref"].rpartition("/")[2]
            schemas[name] = copy.deepcopy(schemas[original])
            media["schema"] = {"$ref": f"#/components/schemas/{name}"}
    return document


def import_ms(statement: str, folder: Path) -> float:
    """Time a statement in a new process that finds the package in `folder`."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return 1000 * float(subprocess.check_output([sys.executable, "-c", code], env=environment))


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    """Generate and import each package, and print two tables."""
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary, str(size)) for size in SIZES]
        print("operations  generation  an operation")
        for size, folder in zip(SIZES, folders, strict=True):
            folder.mkdir()
            spec = folder / "openapi.yaml"
            spec.write_text(yaml.safe_dump(contract(size), sort_keys=False), "utf-8")
            command = [sys.executable, "-m", "codegen.generate", "--spec", str(spec)]
            command += ["--output", str(folder / "signalwire_compat")]
            began = _cpu_of_children()
            subprocess.run(command, cwd=ROOT, check=True)
            took = _cpu_of_children() - began
            print(f"{size:10}  {took:8.1f} s  {1000 * took / size:9.1f} ms", flush=True)
        print("\nimport of                 10 operations     100   1,000   ratio of 1,000 to 10")
        for what, statement in IMPORTS.items():
            # The first round writes the bytecode.
            _, *rounds = ([import_ms(statement, f) for f in folders] for _ in range(ROUNDS + 1))
            few, some, many = map(min, zip(*rounds, strict=True))
            print(f"{what:20} {few:15.1f} ms {some:7.1f} {many:7.1f}   {many / few:.2f}")


if __name__ == "__main__":
    main()
