"""Try another version of openapi-python-client, and say what it would change here.

    python -m scripts.try_generator 0.30.0

installs it into a temporary environment over this one, shows what upstream changed in the templates
that codegen/templates overrides and in the generated package, and runs the edits of
tests/edits on it. Nothing in the checkout is touched.
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

ROOT = Path(__file__).resolve().parent.parent
GENERATOR = "openapi-python-client"
_TESTS = ("tests/edits/test_edits.py", "tests/codegen/test_generated.py")
# These hold the package of the new version to the committed one, which is the old one's.
_OTHERWISE = "not committed and not drift and not twice"


class TryError(Exception):
    """Why nothing could be tried, in one line."""


def environment(wanted: str, folder: Path) -> Path:
    """Make an environment with another generator over this one, and give its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    here = sysconfig.get_path("purelib")
    (site / "over.pth").write_text(f"import site; site.addsitedir({here!r})\n", "utf-8")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    done = subprocess.run(  # noqa: S603
        [*command, f"{GENERATOR}=={wanted}"], check=False, capture_output=True, text=True
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise TryError(f"VERSION={wanted} can't be installed: {(lines or ['pip failed'])[-1]}")
    return python


def template_changes(old: Path, new: Path) -> Iterator[str]:
    """Show what changed in the upstream templates that templates/ overrides."""
    for path in sorted((ROOT / "codegen" / "templates").rglob("*.jinja")):
        name = str(path.relative_to(ROOT / "codegen" / "templates"))
        before, after = (
            file.read_text("utf-8").splitlines(keepends=True) if file.is_file() else []
            for file in (old / name, new / name)
        )
        changed = difflib.unified_diff(before, after, f"old/{name}", f"new/{name}")
        yield from changed
        if before and not after:
            yield f"{name} is gone upstream: look for what replaced it.\n"


def templates_of(python: Path) -> Path:
    """Find the upstream templates of an environment."""
    code = "import openapi_python_client as o, pathlib; print(pathlib.Path(o.__file__).parent)"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return Path(done.stdout.strip()) / "templates"


def copied(folder: Path) -> Path:
    """Copy the project as it is, without what git ignores."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def tried(wanted: str, temporary: Path) -> bool:
    """Print what a version changes; whether everything works with it."""
    python = environment(wanted, temporary / "venv")
    upstream = templates_of(Path(sys.executable)), templates_of(python)
    _print(f"# Templates that we override, {version(GENERATOR)} to {wanted}\n")
    _print("".join(template_changes(*upstream)) or "None has changed.\n")
    project = copied(temporary / "project")
    paths = (python.parent, Path(sys.executable).parent, os.environ["PATH"])
    modules = (project / "generated", project / "mock_server")
    settings = {
        **os.environ,
        "PATH": os.pathsep.join(map(str, paths)),
        "PYTHONPATH": os.pathsep.join(map(str, modules)),
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            command,
            cwd=project,
            env=settings,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    _print("# The generated package\n")
    done = run(str(python), "-m", "codegen.generate")
    _print(done.stdout)
    if done.returncode:
        return False
    shown = run("git", "diff", "--no-index", "--", str(ROOT / "generated"), "generated").stdout
    parts = re.split(r"^(?=diff --git)", shown, flags=re.MULTILINE)
    # Bytecode is no part of the package.
    _print("".join(part for part in parts if "__pycache__" not in part.partition("\n")[0]))
    _print("# The edits of tests/edits\n")
    pytest = ("-m", "pytest", "-q", "--numprocesses", "auto", "-k", _OTHERWISE)
    done = run(str(python), *pytest, *_TESTS)
    _print(done.stdout)
    return done.returncode == 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run the command: the version is its one argument."""
    wanted = arguments[0] if arguments else ""
    try:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)+\w*", wanted):
            raise TryError(f"VERSION={wanted} is no version: write it as 0.30.0")
        with tempfile.TemporaryDirectory() as temporary:
            works = tried(wanted, Path(temporary))
    except TryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    todo = "See docs/regenerating.md for what to do next." if works else "Not all of it works yet."
    _print(todo)
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
