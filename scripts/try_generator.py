"""Try another version of openapi-python-client, and say what it would change here.

    python -m scripts.try_generator 0.30.0

installs it into a temporary environment on top of this one. It shows what changed in the upstream
templates that codegen/templates/ overrides and in the generated package, and runs the edits of
tests/edits. The checkout stays as it is.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import openapi_python_client

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "codegen" / "templates"
GENERATOR = "openapi-python-client"


def install(wanted: str, folder: Path) -> Path:
    """Make an environment with another generator on top of this one, and return its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    here = sysconfig.get_path("purelib")
    (site / "over.pth").write_text(f"import site; site.addsitedir({here!r})\n", "utf-8")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    command.append(f"{GENERATOR}=={wanted}")
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        sys.exit(f"VERSION={wanted} cannot be installed: {(lines or ['pip failed'])[-1]}")
    return python


def template_changes(old: Path, new: Path) -> Iterator[str]:
    """Show what changed in the upstream templates that ours override."""
    for path in sorted(TEMPLATES.rglob("*.jinja")):
        name = str(path.relative_to(TEMPLATES))
        before, after = (
            file.read_text("utf-8").splitlines(keepends=True) if file.is_file() else []
            for file in (old / name, new / name)
        )
        yield from difflib.unified_diff(before, after, f"old/{name}", f"new/{name}")
        if before and not after:
            yield f"{name} is gone upstream: look for what replaced it.\n"


def copy_project(folder: Path) -> None:
    """Copy the files of the checkout, except those that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def try_version(wanted: str, folder: Path) -> bool:
    """Print what a version changes, and return whether everything works with it."""
    python, project = install(wanted, folder / "venv"), folder / "project"
    copy_project(project)
    shutil.copytree(project / "generated", folder / "before")
    paths = f"{python.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    packages = f"{project / 'generated'}:{project / 'mock_server'}"
    settings = {**os.environ, "PATH": paths, "PYTHONPATH": packages}

    def run(*command: str) -> bool:
        sys.stdout.flush()
        return subprocess.run(command, cwd=project, env=settings, check=False).returncode == 0  # noqa: S603

    code = "import openapi_python_client as o; print(o.__path__[0])"
    new = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout  # noqa: S603
    old = Path(openapi_python_client.__file__).parent
    sys.stdout.write(f"# Templates that we override, {version(GENERATOR)} to {wanted}\n\n")
    changes = template_changes(old / "templates", Path(new.strip()) / "templates")
    sys.stdout.write("".join(changes) or "No changes.\n")
    sys.stdout.write("\n# The generated package\n\n")
    if not run(str(python), "-m", "codegen.generate"):
        return False
    run("git", "diff", "--no-index", "--", "../before", "generated")
    sys.stdout.write("\n# The edits of tests/edits\n\n")
    # Without the tests that compare with the committed package, which the old version wrote.
    selected = ("-k", "not committed and not drift", "--numprocesses", "auto")
    tests = ("tests/edits/test_edits.py", "tests/codegen/test_generated.py")
    return run(str(python), "-m", "pytest", "-q", *selected, *tests)


def main(arguments: list[str]) -> int:
    """Run the command: the version is its one argument."""
    wanted = arguments[0] if arguments else ""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)+\w*", wanted):
        sys.stderr.write(f"VERSION={wanted} is not a version: write it as 0.30.0\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        works = try_version(wanted, Path(folder))
    todo = "See docs/regenerating.md for what to do next." if works else "Not everything works yet."
    sys.stdout.write(f"\n{todo}\n")
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
