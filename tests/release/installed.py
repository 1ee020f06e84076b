"""What `make build` gave, used as people use it: installed into an empty environment.

Run by `make test-package`; the environment takes what both need from the package index, in the
versions of the lock.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from signalwire_compat_mock import DEFAULT_TOKEN

from tests import conftest
from tests.conftest import PROJECT, ROOT, VARIABLES
from tests.fuzzer.shop import AUTH, BUGS
from tests.fuzzer.test_servers import FOUND
from tests.release.editor import Jedi, language_server

DIST = ROOT / "dist"
UV = Path(sys.executable).with_name("uv")
NAMES = ("signalwire_compat", "signalwire_compat_mock")
EXAMPLES = ("buy.py", "buy_async.py", "demo.py", "quickstart.py")
# An ignore that mypy needs is one that pyright needs: both find the same mistakes.
PYRIGHT = {
    "typeCheckingMode": "strict",
    "enableTypeIgnoreComments": True,
    "reportUnnecessaryTypeIgnoreComment": "error",
}
USES_THE_FIXTURE = """
from signalwire_compat import RestClient
from signalwire_compat_mock import MockServer


def test_a_purchase(signalwire_mock: MockServer) -> None:
    signalwire_mock.inject(delay_seconds=0.01)
    number = RestClient().compat.phone_numbers.purchase(PhoneNumber="+15551234567")
    assert signalwire_mock.phone_numbers()[0]["sid"] == number.sid
"""

OFFICIAL = """
import os
import requests
from signalwire.rest import RestClient

numbers = RestClient().compat.phone_numbers
found = numbers.search_local("US", AreaCode="512")["available_phone_numbers"]
sid = numbers.purchase(PhoneNumber=found[0]["phone_number"], FriendlyName="Main Line")["sid"]
assert numbers.update(sid, FriendlyName="Support")["friendly_name"] == "Support"
assert [number["sid"] for number in numbers.list(PageSize=20)["incoming_phone_numbers"]] == [sid]
requests.post(f"https://{os.environ['SIGNALWIRE_SPACE']}/clock", json={"days": 14})
numbers.delete(sid)
assert numbers.list()["incoming_phone_numbers"] == []
"""
TWILIO = """
import os
import requests
from twilio.rest import Client

client = Client(os.environ["SIGNALWIRE_PROJECT_ID"], os.environ["SIGNALWIRE_API_TOKEN"])
client.api.base_url = f"https://{os.environ['SIGNALWIRE_SPACE']}"
numbers = client.incoming_phone_numbers
found = client.available_phone_numbers("US").local.list(area_code="512", limit=5)
sid = numbers.create(phone_number=found[0].phone_number, friendly_name="Main Line").sid
assert numbers(sid).update(friendly_name="Support").friendly_name == "Support"
assert numbers(sid).fetch().capabilities["sms"]
assert [number.sid for number in numbers.list(limit=20)] == [sid]
requests.post(f"{client.api.base_url}/clock", json={"days": 14})
assert numbers(sid).delete()
assert numbers.list() == []
"""
SDKS = {"signalwire-sdk==3.0.2": OFFICIAL, "twilio==9.13.0": TWILIO}
# What a user writes; and the names that are asked about in it, what hovering says, and the target.
WRITTEN = """from signalwire_compat import RestClient, SignalWireError

with RestClient() as client:
    try:
        number = client.compat.phone_numbers.purchase(PhoneNumber="+15551234567")
        print(number.capabilities.sms, number.date_created_datetime)
        for each in client.with_account("b").compat.phone_numbers.list(PageSize=10):
            print(each.sid)
        page = client.compat.phone_numbers.list().next_page()
        print(page and page.page_size)
    except SignalWireError as error:
        print(error.outcome_unknown, error.advice)
"""
ASKED = [
    ("with RestClient", "Safe to share between threads", "class RestClient("),
    ("number = client.compat", "The operations, by tag", "def compat("),
    ("number = client.compat.phone_numbers", "Phone numbers that", "def phone_n"),
    ("number = client.compat.phone_numbers.purchase", "PhoneNumber: Number to", "def purchase("),
    ('with_account("b").compat.phone_numbers.list', "PageSize: How many numbers", "def list("),
    ("number.capabilities.sms", "receives text messages", "sms: bool"),
    ("number.date_created_datetime", "None if that is", "def date_c"),
    ("each.sid", "SID of the number. Not always a UUID", "sid: str"),
    ("page.page_size", "How many numbers a page has at most", "page_size: int"),
    ("error.outcome_unknown", "before you retry", "self.outcome_unknown"),
    ("error.advice", "What to do about it", "self.advice"),
]


def run(*command: str | Path, cwd: Path, **settings: str) -> str:
    done = conftest.run(*command, cwd=cwd, PYTHONPATH="", **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install client and mock into an empty environment and name its interpreter."""
    client, mock = (next(DIST.glob(f"{name}-*.whl")) for name in NAMES)
    return environment(tmp_path_factory.mktemp("installed"), client, f"{mock}[pytest,tls]")


def environment(folder: Path, *wheels: str | Path) -> Path:
    """Install wheels into an empty environment and name its interpreter."""
    lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
    pins = re.findall(r"^[a-z][^\n\\]*==[^\n\\]*", lock, re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(pins), "utf-8")
    venv.create(folder / "venv", with_pip=True)
    interpreter = folder / "venv" / "bin" / "python"
    if wheels:
        run(
            *(interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--constraint", folder / "constraints.txt", *wheels),
            cwd=folder,
        )
    return interpreter


@pytest.fixture
def service(python: Path, tmp_path: Path) -> Iterator[str]:
    """Serve the mock by its command, and give its address."""
    command = [str(python.with_name("signalwire-compat-mock")), "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def test_the_workflow_of_the_page_about_fuzzing_finds_the_bugs_of_a_server(tmp_path: Path) -> None:
    """Run its lines in a repository that has a server, with the wheel in place of the address."""
    page = (ROOT / "docs" / "fuzzing.md").read_text("utf-8")
    workflow = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    steps = workflow["jobs"]["fuzz"]["steps"]
    install, fuzz = (step["run"] for step in steps if "run" in step)
    (wheel,) = DIST.glob("signalwire_compat_fuzz-*.whl")
    python = environment(tmp_path)
    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "tests" / "fuzzer", repository)
    (repository / "shop.yaml").rename(repository / "openapi.yaml")
    start = repository / fuzz.split()[0]
    shop = shlex.join(["shop.py", *BUGS])
    start.write_text(f"#!/bin/sh\nexec python {shop} > address\n", "utf-8")
    start.chmod(0o755)
    os.mkfifo(repository / "address")
    settings = {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(tmp_path / "constraints.txt"),
        **{"FUZZ_AUTH": AUTH, "FUZZ_EXAMPLES": "100"},
    }
    run("bash", "-ec", re.sub('"git.*"', str(wheel), install), cwd=repository, **settings)
    # The server stays, as in a workflow, and would keep a pipe open.
    fuzz = fuzz.replace("http://127.0.0.1:8000", "$(head -n 1 address)").replace("600", "0")
    with (tmp_path / "told.txt").open("w+", encoding="utf-8") as told:
        process = subprocess.Popen(
            ["bash", "-ec", fuzz],
            cwd=repository,
            env={**os.environ, **settings, "PYTHONPATH": ""},
            stdout=told,
            start_new_session=True,
        )
        status = process.wait()
        os.killpg(process.pid, signal.SIGTERM)
        told.seek(0)
        text = told.read()
    assert status == 1, text
    for bug, pattern in FOUND.items():
        assert re.search(pattern, text), bug


def test_both_are_imported_from_the_environment_alone(python: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(NAMES)}; print({NAMES[0]}.__file__, {NAMES[1]}.__file__)"
    paths = run(python, "-W", "error", "-c", code, cwd=tmp_path).split()
    assert all(Path(path).is_relative_to(python.parents[1]) for path in paths)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_runs_from_the_installed_packages(
    python: Path, tmp_path: Path, service: str, name: str
) -> None:
    settings = dict(zip(VARIABLES, (PROJECT, DEFAULT_TOKEN, service), strict=True))
    example = ROOT / "examples" / name
    number = ("+15551234567",) if name == "buy.py" else ()
    printed = run(python, "-W", "error", example, *number, cwd=tmp_path, **settings)
    assert re.search(r"\+1(512)?555\d+", printed)


def test_the_bulk_command_runs_from_the_installed_package(
    python: Path, tmp_path: Path, service: str
) -> None:
    settings = dict(zip(VARIABLES, (PROJECT, DEFAULT_TOKEN, service), strict=True))
    search = ("--find", "phone_numbers.search_local", "US", "AreaCode=512")
    options = ("--count", "2", "--results", "results.jsonl", *search)
    command = (
        python.with_name("signalwire-compat"),
        "bulk",
        "phone_numbers.purchase",
        *options,
        "--yes",
    )
    assert run(*command, cwd=tmp_path, **settings).endswith("2 of 2 done.\n")


def test_the_fixture_is_there_as_soon_as_it_is_installed(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(USES_THE_FIXTURE, "utf-8")
    assert "1 passed" in run(python, "-m", "pytest", "-q", cwd=tmp_path)


@pytest.fixture(scope="module")
def sdks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the SDKs that others made into an environment of their own."""
    folder = tmp_path_factory.mktemp("sdks")
    venv.create(folder)
    interpreter = folder / "bin" / "python"
    # Their many dependencies take pip ten times as long.
    run(UV, "pip", "install", "--quiet", "--python", interpreter, *SDKS, cwd=folder)
    return interpreter


@pytest.mark.parametrize("name", SDKS)
def test_other_sdks_find_buy_change_list_and_release_a_number_of_the_mock(
    python: Path, sdks: Path, tmp_path: Path, name: str
) -> None:
    mock = (python.with_name("signalwire-compat-mock"), "--tls", "authority.pem", "--")
    run(*mock, sdks, "-W", "ignore", "-c", SDKS[name], cwd=tmp_path, NO_PROXY="*")


def test_the_steps_of_the_dockerfile_end_in_a_mock_that_other_machines_reach(
    tmp_path: Path,
) -> None:
    dockerfile = (ROOT / "mock_server" / "Dockerfile").read_text("utf-8")
    steps = dict(re.findall(r"^(\w+) (.+)", dockerfile, re.MULTILINE))
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", dockerfile, re.MULTILINE):
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / target)
    venv.create(tmp_path / "venv")
    tools = tmp_path / "venv" / "bin"
    run(UV, *steps["RUN"].split(), "--python", tools / "python", cwd=tmp_path)
    program, *options = json.loads(steps["ENTRYPOINT"])
    assert options[-1] == steps["EXPOSE"]
    command = [tools / program, *options, "--port", "0", "--tls", "authority.pem"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        reply = httpx.get(f"{url}/journal", headers={"host": "mock:8000"}, trust_env=False)
        process.terminate()
    assert (reply.json(), process.returncode) == ([], 0)


def test_mypy_and_pyright_see_the_types_of_the_installed_packages(
    python: Path, tmp_path: Path
) -> None:
    promises = (ROOT / "tests" / "release" / "typing_api.py").read_text("utf-8")
    (tmp_path / "promises.py").write_text(promises, "utf-8")
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), "utf-8")
    (tmp_path / "test_mine.py").write_text(USES_THE_FIXTURE, "utf-8")
    files = ("promises.py", "test_mine.py")
    tools = Path(sys.executable).parent
    run(tools / "mypy", "--strict", "--python-executable", python, *files, cwd=tmp_path)
    pyright = (tools / "basedpyright", "--pythonpath", python)
    assert "0 errors" in run(*pyright, *files, cwd=tmp_path)
    wrong = 'from signalwire_compat_mock import MockServer\nMockServer(port="x")\n'
    (tmp_path / "wrong.py").write_text(wrong, "utf-8")
    with pytest.raises(AssertionError, match="reportArgumentType"):
        run(*pyright, "wrong.py", cwd=tmp_path)


def test_each_sdist_holds_all_that_a_wheel_is_built_of() -> None:
    for name in (*NAMES, "signalwire_compat_fuzz"):
        with tarfile.open(next(DIST.glob(f"{name}-[0-9]*.tar.gz"))) as archive:
            names = {member.partition("/")[2] for member in archive.getnames()}
        packed = {path.removeprefix("generated/") for path in names}
        assert {"LICENSE", "README.md", "pyproject.toml", f"{name}/py.typed"} <= packed
        assert name != "signalwire_compat_mock" or f"{name}/openapi.yaml" in names


@pytest.mark.parametrize("package", NAMES)
def test_pyright_knows_the_type_of_everything_public(
    python: Path, tmp_path: Path, package: str
) -> None:
    command = (Path(sys.executable).parent / "basedpyright", "--verifytypes", package)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    assert "Type completeness score: 100%" in run(
        *command, "--ignoreexternal", cwd=tmp_path, PATH=path
    )


@pytest.fixture(params=["basedpyright", "jedi"])
def editor(request: pytest.FixtureRequest, python: Path, tmp_path: Path) -> Iterator[Any]:
    file = tmp_path / "mine.py"
    file.write_text(WRITTEN, "utf-8")
    if request.param == "jedi":
        yield Jedi(python, file)
        return
    environment = python.parents[1]
    settings = {"venvPath": str(environment.parent), "venv": environment.name}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    command = Path(sys.executable).with_name("basedpyright-langserver")
    with language_server(command, file) as server:
        yield server


def test_an_editor_completes_explains_and_finds_what_a_user_writes(
    editor: Any, python: Path, contract: dict[str, Any]
) -> None:
    def place(text: str) -> tuple[int, int]:
        """Find the last character of a text."""
        before = WRITTEN[: WRITTEN.index(text) + len(text) - 1]
        return before.count("\n"), len(before.rpartition("\n")[2])

    line, column = place("number = client.compat.phone_numbers.")
    operations = {o["operationId"] for path in contract["paths"].values() for o in path.values()}
    found = editor.completions((line, column + 1))
    assert {name for name in found if not name.startswith("_")} == operations
    package = python.parents[1].joinpath("lib").glob("python*/site-packages/signalwire_compat")
    (folder,) = package
    for text, says, defined in ASKED:
        at = place(text)
        assert says in editor.hover(at), text
        target = editor.target(at)
        assert target.path.is_relative_to(folder), text
        assert target.path.read_text("utf-8").splitlines()[target.line].strip().startswith(defined)
