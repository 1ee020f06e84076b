"""Build the reference site into .build/docs/site.

Its pages are those of docs/, and others made from openapi.yaml, docstrings and examples/. A link to
a page or heading that does not exist fails the build.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import signalwire_compat

from codegen.document import target
from codegen.validate import load

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
    pages[Path("contract.md")] = "\n".join(contract_page(spec))
    pages[Path("examples.md")] = "\n".join(examples_page())
    for name, text in pages.items():
        page = BUILD / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, "utf-8")
    shutil.copy(CONFIG, BUILD)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    result = subprocess.run(command, cwd=BUILD, check=False, capture_output=True, text=True)  # noqa: S603  # the tool of this environment
    if result.returncode:
        sys.stderr.write(result.stdout + result.stderr.partition("Traceback")[0])
        return 1
    sys.stdout.write("The site is in .build/docs/site: open index.html.\n")
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
            yield f"::: signalwire_compat.{name}\n    options:\n      inherited_members: false"
    yield "::: signalwire_compat.models\n"


def examples_page() -> Iterator[str]:
    """Show every example under its name."""
    yield "# Examples\n\nEach is in `examples/`, and runs against the mock in a test.\n"
    for path in sorted((ROOT / "examples").glob("*.py")):
        code = path.read_text("utf-8")
        summary = (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0]
        yield f"## {path.name}\n\n{summary}\n\n```python\n{code.rstrip()}\n```\n"


def contract_page(spec: dict[str, Any]) -> Iterator[str]:
    """Describe the contract: operations, callbacks, schemas and error codes."""
    info = spec["info"]
    yield f"# Contract\n\n{info['description']}\n\nServer: `{spec['servers'][0]['url']}`\n"
    for path, item in spec["paths"].items():
        yield from operations(path, item)
    yield "## Schemas\n"
    for name, schema in spec["components"]["schemas"].items():
        yield f"### {name}\n\n{schema.get('description', '')}\n"
        if "enum" in schema:
            yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".\n"
        if "properties" in schema:
            yield table_head("member", "type", "required", "description")
            for member, value in schema["properties"].items():
                required = "yes" if member in schema.get("required", ()) else "no"
                text = value.get("description", "") + limits(value)
                yield table_row(f"`{member}`", type_name(value), required, text)
            yield ""
    yield "## Error codes\n\n" + table_head("code", "status", "category", "when")
    for code, entry in spec["components"]["schemas"]["Error"]["x-error-codes"].items():
        yield table_row(code, entry["status"], f"`{entry['category']}`", entry["when"])


def operations(path: str, item: dict[str, Any]) -> Iterator[str]:
    """Describe the operations of a path, and their callbacks."""
    for method in ("get", "put", "post", "delete", "patch"):
        if not (operation := item.get(method)):
            continue
        yield f"## {operation['operationId']}\n\n`{method.upper()} {path}`\n"
        yield f"{operation.get('description', operation.get('summary', ''))}\n"
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            yield f"Body: `{kind}`, {type_name(media['schema'])}\n"
        yield table_head("status", "when", "body")
        for status, response in operation.get("responses", {}).items():
            bodies = [type_name(media["schema"]) for media in response.get("content", {}).values()]
            yield table_row(status, response["description"], *(bodies or ["none"])[:1])
        yield ""
        for name, callback in operation.get("callbacks", {}).items():
            for expression, called in callback.items():
                yield f"Callback {name}: {called.get('description', '')}\n"
                yield from operations(expression, called)


def type_name(schema: dict[str, Any]) -> str:
    """Name a type; the name of a schema links to it."""
    if reference := schema.get("$ref"):
        name = str(target(reference)[-1])
        return f"[{name}](#{name.lower()})"
    if "allOf" in schema:
        return " and ".join(map(type_name, schema["allOf"]))
    types = schema.get("type", "any")
    name = types if isinstance(types, str) else " or ".join(types)
    return f"{name}, {schema['format']}" if "format" in schema else name


def limits(schema: dict[str, Any]) -> str:
    """Say what a value may be, its default, and the error codes of a wrong one."""
    notes = [f"Default `{schema['default']}`."] if "default" in schema else []
    if "pattern" in schema:
        notes.append(f"Pattern `{schema['pattern']}`.")
    if "minLength" in schema or "maxLength" in schema:
        notes.append(f"{schema.get('minLength', 0)} to {schema.get('maxLength')} characters.")
    notes += [f"If {kind}: error {code}." for kind, code in schema.get("x-error-codes", {}).items()]
    return "".join(f" {note}" for note in notes)


def table_head(*names: str) -> str:
    """Start a table."""
    return table_row(*names) + "\n" + table_row(*["---"] * len(names))


def table_row(*cells: object) -> str:
    """Format a row of a table, one line."""
    texts = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"


if __name__ == "__main__":
    sys.exit(main())
