"""The pages for contributors are true: import rules, paths and commands."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, run

PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
TRY = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([\w/]+)/` \| (.*) \|$", PAGE, re.MULTILINE)
OURS = {
    **{n: ROOT / n for n in ("benchmarks", "codegen", "contract_diff", "scripts", "tests")},
    "signalwire_compat": ROOT / "generated" / "signalwire_compat",
    "signalwire_compat_fuzz": ROOT / "fuzzer" / "signalwire_compat_fuzz",
    "signalwire_compat_mock": ROOT / "mock_server" / "signalwire_compat_mock",
}
PAGES = [ROOT / n for n in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "tests/README.md")]


def imported(code: str) -> Iterator[str]:
    """Name the modules and the private names of this repository that a module imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, *rest = name.split(".")
            if top in OURS:
                path = OURS[top].joinpath(*rest)
                is_module = path.is_dir() or path.with_suffix(".py").is_file()
                is_private = any(part.startswith("_") for part in rest)
                yield name if is_module or is_private else name.rpartition(".")[0]


@pytest.mark.parametrize(("folder", "allowed"), ROWS)
def test_a_folder_imports_only_what_the_page_allows(folder: str, allowed: str) -> None:
    patterns = [
        re.escape(name).removesuffix(r"\.\*") + (r"(\..+)?" if name.endswith(".*") else "")
        for name in re.findall(r"`([^`]+)`", allowed)
    ]
    files = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.pyi")]
    assert files
    forbidden = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path.read_text("utf-8"))
        if not any(re.fullmatch(pattern, name) for pattern in patterns)
    ]
    assert forbidden == []


def test_the_page_has_a_rule_for_every_folder_of_code() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")} - {"tests"}
    assert folders | {"fuzzer", "mock_server", "tests/fuzz"} == {folder for folder, _ in ROWS}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_path_that_a_page_for_contributors_names_exists(page: Path) -> None:
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", page.read_text("utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize("command", re.findall(r"`\.venv/bin/(.+? (?:-k|-m tests\.).+?)`", TRY))
def test_a_command_that_contributing_shows_finds_something_to_run(command: str) -> None:
    program, *arguments = command.split()
    if program == "pytest":
        arguments.append("--collect-only")
    done = run(Path(sys.executable).with_name(program), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
