"""Build the reference site into .build/docs/site.

Its pages are those of docs/, and others made from openapi.yaml, docstrings and examples/. A link to
a page or heading that does not exist fails the build.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import signalwire_compat

from codegen.document import is_json, resolved
from codegen.facts import method_name
from codegen.normal_form import normal
from codegen.validate import load
from contract_diff.contract_calls import Operation, operations
from contract_diff.example_calls import cases

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "docs"
CONFIG = ROOT / "scripts" / "zensical.toml"


def main() -> int:
    """Write the pages and let zensical build the site. Returns 0 if it could, else 1."""
    shutil.rmtree(BUILD, ignore_errors=True)
    spec = load(ROOT / "openapi.yaml")
    sources = {path.relative_to(ROOT / "docs"): path for path in (ROOT / "docs").rglob("*.md")}
    sources[Path("index.md")] = ROOT / "README.md"
    sources[Path("testing.md")] = ROOT / "mock_server" / "README.md"
    sources[Path("changelog.md")] = ROOT / "CHANGELOG.md"
    pages = {name: site_links(path.read_text("utf-8")) for name, path in sources.items()}
    pages[Path("api.md")] = "\n".join(api_page(spec))
    pages[Path("contract.md")] = contract_page(spec)
    pages[Path("examples.md")] = "\n".join(examples_page())
    for name, text in pages.items():
        page = BUILD / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, "utf-8")
    shutil.copy(CONFIG, BUILD)
    shutil.copy(CONFIG.with_name("site.css"), BUILD / "pages")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    result = subprocess.run(command, cwd=BUILD, check=False, capture_output=True, text=True)  # noqa: S603  # the tool of this environment
    if result.returncode:
        sys.stderr.write(result.stdout + result.stderr.partition("Traceback")[0])
        return 1
    served = "python3 -m http.server --directory .build/docs/site"
    sys.stdout.write(f"The site is in .build/docs/site. To read and search it: {served}\n")
    return 0


def site_links(text: str) -> str:
    """Point links to the pages of the site, and remove those to files that have no page."""
    text = re.sub(r"\]\(docs/([\w/-]+\.md)", r"](\1", text)
    text = text.replace("](mock_server/README.md", "](testing.md")
    text = text.replace("](examples)", "](examples.md)")
    no_page = r"(?:\.\./)?(?:\.github|tests|codegen|scripts|[A-Z]+\.md)[^)]*"
    return re.sub(rf"\[([^\]]+)\]\({no_page}\)", r"\1", text)


def api_page(spec: dict[str, Any]) -> Iterator[str]:
    """Name what mkdocstrings documents from its docstrings."""
    yield "# Python API\n"
    for name in ("RestClient", "AsyncRestClient", *(f"api.{tag['name']}" for tag in spec["tags"])):
        yield f"::: signalwire_compat.{name}"
    for name in signalwire_compat.__all__:
        if "Error" in name:
            options = "inherited_members: false\n      show_bases: true"
            yield f"::: signalwire_compat.{name}\n    options:\n      {options}"
    yield "::: signalwire_compat.models\n"


def examples_page() -> Iterator[str]:
    """Show every example under its name."""
    yield "# Examples\n\nEach is in `examples/`, and runs against the mock in a test.\n"
    for path in sorted((ROOT / "examples").glob("*.py")):
        code = path.read_text("utf-8")
        summary = (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0]
        yield f"## {path.name}\n\n{summary}\n\n```python\n{code.rstrip()}\n```\n"


def contract_page(spec: dict[str, Any]) -> str:
    """Describe the contract: operations, callbacks, schemas and error codes."""
    environment = jinja2.Environment(  # noqa: S701  # it writes Markdown
        loader=jinja2.FileSystemLoader(ROOT / "scripts"),
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["resolved"] = partial(resolved, spec)
    environment.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    return environment.get_template("contract.md.jinja").render(spec, samples=dict(samples(spec)))


def samples(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Write a call of each operation in Python, and a reply for each status, from the examples."""
    found = cases(spec)
    for name, operation in operations(normal(spec)).items():
        own = [case for case in found if case["name"].startswith(f"{name}, ")]
        replies = {case["status"]: case["reply"] for case in reversed(own) if is_json(case["type"])}
        yield (
            operation.raw["operationId"],
            {
                "call": sample_call(operation, own[0]),
                "replies": {
                    status: json.dumps(json.loads(reply), indent=2, ensure_ascii=False)
                    for status, reply in sorted(replies.items())
                },
            },
        )


def sample_call(operation: Operation, case: dict[str, Any]) -> str:
    """Write a call with the required parameters and the body of a case."""
    given = {
        key: case["parameters"][key]
        for key, node in operation.parameters.items()
        if node.get("required") and key != operation.account
    }
    words = [literal(given.pop(key)) for key in operation.positional]
    body = case["body"] if operation.fields else {"body": case["body"]}
    given |= body if case["body"] is not None else {}
    words += [f"{key}={literal(value)}" for key, value in given.items()]
    method = f"client.compat.{case['tag']}.{method_name(case['operation'])}"
    line = f"{method}({', '.join(words)})"
    # This fits a telephone.
    return (
        line if len(line) < 45 else "\n    ".join([f"{method}(", *(f"{w}," for w in words)]) + "\n)"
    )


def literal(value: Any) -> str:
    """Write a value as Python, text in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    sys.exit(main())
