"""What several files of tests need: a mock server of their own, clients for it, the contract."""

import copy
import gc
import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from signalwire_compat import AsyncRestClient, RestClient
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from codegen.document import nodes, reachable, resolved, target

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
VARIABLES = ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_SPACE")


def pytest_configure() -> None:
    """Let the programs that tests start end at Ctrl-C: a job in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the run; many tests call it."""
    gc.freeze()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def client(mock: MockServer) -> Iterator[RestClient]:
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as rest_client:
        yield rest_client


@pytest.fixture
def async_client(mock: MockServer) -> AsyncRestClient:
    return AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url)


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    return document


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """Give a folder that all workers of this run share, for compiled templates and packages."""
    folder = tmp_path_factory.getbasetemp().parent / f"shared-{testrun_uid}"
    folder.mkdir(exist_ok=True)
    return folder


def operations(document: dict[str, Any], tag: str = "phone_numbers") -> list[str]:
    """List the operationIds of a tag, in the order of the document."""
    found = (operation for path in document["paths"].values() for operation in path.values())
    return [operation["operationId"] for operation in found if operation["tags"][0] == tag]


def only(document: dict[str, Any], *names: str) -> dict[str, Any]:
    """Copy the operations with these operationIds, and the components that they use."""
    part = copy.deepcopy(document)
    for _, _, node in nodes(part):
        for name, link in list(node.get("links", {}).items()):
            if resolved(part, link)["operationId"] not in names:
                del node["links"][name]
    paths = part["paths"] = {
        path: {m: v for m, v in item.items() if v["operationId"] in names}
        for path, item in part["paths"].items()
    }
    part["paths"] = {path: item for path, item in paths.items() if item}
    found = reachable(part, [("path", ("paths", path)) for path in part["paths"]])
    used = {target(node["$ref"]) for _, _, node in found if "$ref" in node}
    for kind, known in part["components"].items():
        if kind != "securitySchemes":
            part["components"][kind] = {
                k: v for k, v in known.items() if ("components", kind, k) in used
            }
    return part


def run(*command: str | Path, cwd: Path = ROOT, **settings: str) -> CompletedProcess[str]:
    """Run a program to its end, with some environment variables more."""
    env = {**os.environ, **settings}
    return subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True)


def answered_on_a_terminal(
    answer: str, *command: str | Path, environment: dict[str, str]
) -> CompletedProcess[str]:
    """Run a program that asks a question on a terminal, and type the answer."""
    main, terminal = pty.openpty()
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(main, f"{answer}\n".encode())
        out, err = process.communicate()
    os.close(terminal)
    os.close(main)
    return CompletedProcess(command, process.returncode, out, err)


def page_reply(**changes: Any) -> dict[str, Any]:
    """Give the reply as the page shows it: without the members that are null."""
    text = (ROOT / "tests" / "contract" / "purchase_page_reply.json").read_text("utf-8")
    reply: dict[str, Any] = json.loads(text)
    return {**reply, **changes}
