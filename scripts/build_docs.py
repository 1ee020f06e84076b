"""Build the reference site into .build/docs/site: pages of docs/, and pages made of their sources.

The contract is written from openapi.yaml, the API from docstrings, the examples from examples/.
A link to a page or heading that is not there ends the build.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import signalwire_compat

from codegen.check import load
from codegen.document import target

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "docs"
# In the order of the navigation. A page that is not in docs/ (yet) is left out.
SECTIONS = {
    "Start": {"Quick start": "index.md", "Examples": "examples.md"},
    "Guide": {
        "Guide": "guide.md",
        "When a call fails": "errors.md",
        "Testing your own code": "testing.md",
        "Moving from another client": "migrating.md",
    },
    "Reference": {"Python API": "api.md", "Contract": "contract.md"},
    "Quality": {
        "Reliability": "evidence/reliability.md",
        "Benchmarks": "evidence/benchmarks.md",
        "Fuzzing": "fuzzing.md",
        "What fuzzing finds": "evidence/fuzz-proof.md",
        "Mutants": "evidence/mutants.md",
    },
    "Maintain": {"Regenerating": "regenerating.md", "Changelog": "changelog.md"},
}
API = """# Python API

::: signalwire_compat.RestClient
::: signalwire_compat.AsyncRestClient
{operations}
{errors}
::: signalwire_compat.models
"""
CONFIG = """[project]
site_name = "signalwire-compat"
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = {nav}

[project.theme]
variant = "modern"
font = false
features = ["content.code.copy", "navigation.sections", "navigation.footer", "search.highlight"]

[[project.theme.palette]]
scheme = "default"
toggle.icon = "lucide/sun"
toggle.name = "Dark"

[[project.theme.palette]]
scheme = "slate"
toggle.icon = "lucide/moon"
toggle.name = "Light"

[project.plugins.mkdocstrings.handlers.python]
paths = [{package}]

[project.plugins.mkdocstrings.handlers.python.options]
docstring_style = "google"
inherited_members = true
members_order = "source"
show_root_heading = true
show_source = false
show_submodules = false
"""


def main() -> int:
    """Write the pages and let zensical build them; its exit status is this one's."""
    shutil.rmtree(BUILD, ignore_errors=True)
    pages = BUILD / "pages"
    shutil.copytree(ROOT / "docs", pages)
    for page in pages.rglob("*.md"):
        page.write_text(_linked(page.read_text("utf-8")), "utf-8")
    for name, source in (
        ("index.md", "README.md"),
        ("testing.md", "mock_server/README.md"),
        ("changelog.md", "CHANGELOG.md"),
    ):
        (pages / name).write_text(_linked((ROOT / source).read_text("utf-8")), "utf-8")
    spec = load(ROOT / "openapi.yaml")
    operations = "\n".join(f"::: signalwire_compat.api.{tag['name']}" for tag in spec["tags"])
    errors = "\n".join(
        f"::: signalwire_compat.{name}\n    options:\n      inherited_members: false"
        for name in signalwire_compat.__all__
        if "Error" in name
    )
    api = API.format(operations=operations, errors=errors)
    (pages / "api.md").write_text(api, "utf-8")
    (pages / "contract.md").write_text("\n".join(contract_page(spec)), "utf-8")
    (pages / "examples.md").write_text("\n".join(_examples()), "utf-8")
    nav = [
        {section: [{title: name} for title, name in titles.items() if (pages / name).exists()]}
        for section, titles in SECTIONS.items()
    ]
    config = CONFIG.format(nav=_toml(nav), package=json.dumps(str(ROOT / "generated")))
    (BUILD / "zensical.toml").write_text(config, "utf-8")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    result = subprocess.run(command, cwd=BUILD, check=False, capture_output=True, text=True)  # noqa: S603  # the tool of this environment
    if result.returncode:
        sys.stderr.write(result.stdout + result.stderr.partition("Traceback")[0])
        return 1
    sys.stdout.write("The site is in .build/docs/site: open index.html.\n")
    return 0


def _toml(value: Any) -> str:
    """Write lists and tables of text in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in value.items())} }}"
    return json.dumps(value)


def _linked(text: str) -> str:
    """Let links that fit the repository fit the site; a file without a page is named only."""
    text = re.sub(r"\]\(docs/([\w/-]+\.md)", r"](\1", text)
    text = text.replace("](mock_server/README.md", "](testing.md").replace(
        "](examples)", "](examples.md)"
    )
    return re.sub(
        r"\[([^\]]+)\]\((?:\.\./)?(?:\.github|tests|codegen|scripts|[A-Z]+\.md)[^)]*\)", r"\1", text
    )


def _examples() -> Iterator[str]:
    yield "# Examples\n\nEach is in `examples/`, and runs against the mock in a test.\n"
    for path in sorted((ROOT / "examples").glob("*.py")):
        code = path.read_text("utf-8")
        summary = (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0]
        yield f"## {path.name}\n\n{summary}\n\n```python\n{code.rstrip()}\n```\n"


def contract_page(spec: dict[str, Any]) -> Iterator[str]:
    """Write the contract as Markdown: operations, schemas, callbacks and error codes."""
    info = spec["info"]
    yield f"# Contract\n\n{info['description']}\n\nServer: `{spec['servers'][0]['url']}`\n"
    for path, item in spec["paths"].items():
        yield from _operations(path, item)
    yield "## Schemas\n"
    for name, schema in spec["components"]["schemas"].items():
        yield f"### {name}\n\n{schema.get('description', '')}\n"
        if "enum" in schema:
            yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".\n"
        if "properties" in schema:
            yield "| member | type | required | what it is |\n| --- | --- | --- | --- |"
            for member, value in schema["properties"].items():
                required = "yes" if member in schema.get("required", ()) else "no"
                text = _cell(value.get("description", "") + _notes(value))
                yield f"| `{member}` | {_type(value)} | {required} | {text} |"
            yield ""
    error = spec["components"]["schemas"]["Error"]
    yield "## Error codes\n\n| code | status | category | when |\n| --- | --- | --- | --- |"
    for code, entry in error["x-error-codes"].items():
        yield f"| {code} | {entry['status']} | `{entry['category']}` | {_cell(entry['when'])} |"


def _operations(path: str, item: dict[str, Any]) -> Iterator[str]:
    for method in ("get", "put", "post", "delete", "patch"):
        if not (operation := item.get(method)):
            continue
        yield f"## {operation['operationId']}\n\n`{method.upper()} {path}`\n"
        yield f"{operation.get('description', operation.get('summary', ''))}\n"
        body = operation.get("requestBody", {}).get("content", {})
        for kind, content in body.items():
            yield f"Body: `{kind}`, {_type(content['schema'])}\n"
        if operation.get("responses"):
            yield "| status | when | body |\n| --- | --- | --- |"
            for status, response in operation["responses"].items():
                media: dict[str, Any] = next(iter(response.get("content", {}).values()), {})
                shown = _type(media["schema"]) if "schema" in media else "none"
                yield f"| {status} | {_cell(response['description'])} | {shown} |"
            yield ""
        for name, callback in operation.get("callbacks", {}).items():
            for expression, called in callback.items():
                yield f"Callback {name}: {called.get('description', '')}\n"
                yield from _operations(expression, called)


def _type(schema: dict[str, Any]) -> str:
    """Name a type, with a link where it is a schema of its own."""
    if reference := schema.get("$ref"):
        name = str(target(reference)[-1])
        return f"[{name}](#{name.lower()})"
    if "allOf" in schema:
        return " and ".join(_type(part) for part in schema["allOf"])
    types = schema.get("type", "any")
    text = " or ".join([types] if isinstance(types, str) else types)
    return f"{text}, {schema['format']}" if "format" in schema else text


def _notes(schema: dict[str, Any]) -> str:
    """Say what bounds a value, what stands for an absent one, and the codes of a wrong one."""
    notes = [f"Default `{schema['default']}`."] if "default" in schema else []
    if "pattern" in schema:
        notes.append(f"Pattern `{schema['pattern']}`.")
    if "minLength" in schema or "maxLength" in schema:
        notes.append(f"{schema.get('minLength', 0)} to {schema.get('maxLength')} characters.")
    notes += [f"If {kind}: error {code}." for kind, code in schema.get("x-error-codes", {}).items()]
    return "".join(f" {note}" for note in notes)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
