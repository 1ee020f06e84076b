"""The wheel: what it holds, what it needs, and what it exports."""

import ast
import io
import json
import pickle
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import griffe
import pytest
import readme_renderer.markdown
import signalwire_compat
from signalwire_compat import api, models
from signalwire_compat.api import phone_numbers

from tests.conftest import PROJECT, ROOT, run

PACKAGE = ROOT / "generated" / "signalwire_compat"
OTHERS = ("mock_server", "fuzzer")
PROJECT_TABLE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

CLIENT = f"import signalwire_compat as s; client = s.RestClient('{PROJECT}', 't', 'localhost')"


def run_code(code: str, **variables: str) -> str:
    """Run code in a new process, and give its output."""
    done = run(sys.executable, "-W", "error", "-c", code, cwd=ROOT, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build_wheel(project: Path, folder: Path) -> Path:
    command = ("-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    result = run(sys.executable, *command, project)
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("dist"))


def metadata_of(wheel: Path) -> Message:
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_the_package_alone(wheel: Path) -> None:
    files = (path for path in PACKAGE.rglob("*") if path.is_file())
    own = (path for path in files if "__pycache__" not in path.parts)
    expected = {f"signalwire_compat/{path.relative_to(PACKAGE)}" for path in own}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "signalwire_compat/py.typed" in names


def test_the_wheel_needs_attrs_httpx_h11_and_sniffio_alone(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    needed = metadata.get_all("Requires-Dist") or []
    needed = [line for line in needed if "extra ==" not in line]
    assert [re.split(r"[<>=!~ ;]", line)[0] for line in needed] == [
        "attrs",
        "h11",
        "httpx",
        "sniffio",
    ]
    assert all(">=" in line and "<" in line for line in needed)
    assert metadata.get_all("Provides-Extra") == ["mock", "socks"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"


@pytest.mark.parametrize("folder", [".", *OTHERS])
def test_a_package_page_shows_the_readme_without_links_that_lead_nowhere(
    folder: str, wheel: Path, tmp_path: Path
) -> None:
    metadata = metadata_of(wheel if folder == "." else build_wheel(ROOT / folder, tmp_path))
    assert metadata["Description-Content-Type"] == "text/markdown"
    problems = io.StringIO()
    page = readme_renderer.markdown.render(str(metadata.get_payload()), stream=problems)
    assert page, problems.getvalue()
    title = (ROOT / folder / "README.md").read_text("utf-8").partition("\n")[0].removeprefix("# ")
    assert f">{title}<" in page
    places = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert [place for place in places if not place.startswith(("https://", "#"))] == []
    assert "](" not in page


def test_the_wheel_imports_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)  # our own wheel
    code = f"{CLIENT}; print(s.__file__)"
    assert run_code(code, PYTHONPATH=str(tmp_path)).startswith(str(tmp_path))


def test_the_package_imports_nothing_that_it_does_not_declare() -> None:
    # httpx itself needs anyio and httpcore; pydantic calls what imports its core.
    declared = {*sys.stdlib_module_names, "anyio", "attrs", "httpcore", "httpx", "pydantic_core"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            assert {name.partition(".")[0] for name in names} <= declared, path


PURCHASE = "api.phone_numbers.purchase"


@pytest.mark.parametrize(
    ("code", "present", "absent"),
    [
        (
            "import signalwire_compat",
            "_errors",
            "httpx httpcore anyio _client _command api. models.",
        ),
        (CLIENT, "_client httpx", "api. models."),
        ("from signalwire_compat.models import Error", "models.error", "models.capabilities"),
        (f"{CLIENT}.compat.phone_numbers", "models.http_method", PURCHASE),
        (f"{CLIENT}; s.api.phone_numbers.purchase.sync", PURCHASE, "aiohttp"),
    ],
)
def test_code_loads_only_what_it_uses(code: str, present: str, absent: str) -> None:
    modules = run_code(f"{code}; import sys; print(*sys.modules)").split()
    names = {name.removeprefix("signalwire_compat.") for name in modules}
    assert {*present.split()} <= names
    assert not [name for name in names if name.startswith((*absent.split(),))]


def test_modules_that_load_on_demand_still_say_what_is_in_them() -> None:
    assert set(models.__all__) <= set(dir(models))
    assert "purchase" in dir(phone_numbers)
    assert "phone_numbers" in dir(api)
    assert all(getattr(models, name) is not None for name in models.__all__)
    for module in (models, api, phone_numbers):
        with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no .* 'Nothing'"):
            module.Nothing  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec("from signalwire_compat.models import Nothing")  # noqa: S102


def test_a_model_that_was_pickled_is_the_same_in_another_process() -> None:
    model = models.Capabilities(voice=True, sms=False, mms=False, fax=True)
    written = pickle.dumps(model)
    assert run_code(f"import pickle; print(pickle.loads({written!r}))") == f"{model}\n"
    assert pickle.loads(written) == model  # noqa: S301  # our own


def undocumented(part: griffe.Object | griffe.Alias, known: set[str]) -> Iterator[str]:
    """Name what is public, of this repository, and has no docstring: a part and its members."""
    found = part.final_target if isinstance(part, griffe.Alias) else part
    if found.path in known or not found.path.startswith("signalwire_compat"):
        return
    known.add(found.path)
    if not found.docstring:
        yield found.path
    for name, member in found.all_members.items() if found.is_class else ():
        if not name.startswith("_"):
            yield from undocumented(member, known)


@pytest.mark.parametrize("name", ["signalwire_compat", "signalwire_compat_mock"])
def test_everything_public_explains_itself(name: str) -> None:
    package = griffe.load(name)
    places = {"signalwire_compat": ("types", "models", "api", "api.phone_numbers")}.get(name, ())
    known: set[str] = set()
    missing: list[str] = []
    for place in (package, *(package[each] for each in places)):
        for member in place.members.values():
            if member.is_public and not member.is_module:
                missing += undocumented(member, known)
    assert missing == []
    assert len(known) > 40


def test_the_public_names_are_sorted_and_exist() -> None:
    names = signalwire_compat.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    for name in names:
        assert getattr(signalwire_compat, name).__module__.startswith("signalwire_compat")


def test_all_distributions_have_the_newest_version_and_name_every_licence() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest
    assert newest[1] == PROJECT_TABLE["version"] == signalwire_compat.__version__
    assert PROJECT_TABLE["license"] == "MIT"
    explorer = ROOT / "mock_server/signalwire_compat_mock/pages/swagger-ui/package.json"
    also = json.loads(explorer.read_text("utf-8"))["license"]
    for folder in OTHERS:
        other = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]
        licence = f"MIT AND {also}" if folder == "mock_server" else "MIT"
        assert (other["version"], other["license"]) == (newest[1], licence)
        assert (ROOT / folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", ["requirements-dev.lock", "requirements-more.lock"])
def test_a_lock_names_no_index_and_hashes_everything(name: str) -> None:
    lock = (ROOT / name).read_text("utf-8")
    assert "://" not in lock
    pins = re.findall(r"^[a-z0-9][^\n]*==", lock, re.MULTILINE)
    assert len(pins) > 30
    assert lock.count(" \\\n    --hash=sha256:") >= len(pins)
