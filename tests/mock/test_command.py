"""A server starts, ends, and is independent of others; and the command that runs one."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import signalwire_compat_mock
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT, ROOT
from tests.mock.helpers import (
    NUMBER,
    NUMBERS,
    Send,
    Serve,
    add_operations,
    basic,
    changed_spec,
    connection,
    read_all,
)


def printed(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines up to the last one that the command prints at its start."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "SIGNALWIRE_SPACE" in line:
            break
    return lines


def test_two_servers_share_neither_port_nor_numbers(send: Send, serve: Serve) -> None:
    second = serve()
    assert second.mock.url != send.mock.url
    assert send.bought() != second.bought()


def test_a_closed_server_leaves_no_thread_and_no_socket() -> None:
    before = threading.active_count()
    server = MockServer().start()
    with connection(server) as idle, connection(server) as halfway:
        head = f"POST {NUMBERS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        halfway.sendall(f"{head}a".encode())
        address = idle.getpeername()
        server.close()
        assert threading.active_count() == before
        assert read_all(idle) == read_all(halfway) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_closed_server_can_be_started_again_with_its_numbers(http: httpx.Client) -> None:
    server = MockServer()
    for status in (201, 422):
        with server:
            assert Send(server, http).buy().status_code == status
    server.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    assert server.charges(PROJECT) == len(server.journal) - 1 == 1


@pytest.mark.parametrize(
    ("host", "called"),
    [("::1", r"\[::1\]"), ("0.0.0.0", r"127\.0\.0\.1"), ("::", r"\[::1\]")],  # noqa: S104
)
def test_a_server_on_any_address_names_one_that_a_client_takes(
    host: str, called: str, serve: Serve
) -> None:
    send = serve(host=host)
    assert re.fullmatch(rf"http://{called}:\d+", send.mock.environment["SIGNALWIRE_SPACE"])
    send.bought()


def test_a_token_without_text_is_not_taken() -> None:
    with pytest.raises(ValueError, match="token is empty"):
        MockServer(token="")


def test_the_exported_names_are_sorted_and_documented() -> None:
    names = signalwire_compat_mock.__all__
    assert names == sorted(names)
    assert all(getattr(signalwire_compat_mock, n).__doc__ for n in names)


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    module = [sys.executable, "-m", "signalwire_compat_mock", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(module, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal_and_ends_cleanly(
    http: httpx.Client, name: signal.Signals
) -> None:
    with command("--port", "0", "--token", "spoken", "--forgetful") as process:
        said = printed(process)
        url, pages = said[0].split()[-1], said[1].split()[-3::2]
        for page in pages:
            assert "<html" in http.get(page, headers={"Accept": "text/html"}).text
        for _ in range(2):
            reply = http.post(url + NUMBERS, auth=(PROJECT, "spoken"), data={"PhoneNumber": NUMBER})
            assert reply.status_code == 201
        process.send_signal(name)
        rest = process.communicate()
    assert pages == [url + "/docs", url + "/journal"]
    assert "with your token as SIGNALWIRE_API_TOKEN" in "".join(said)
    assert "spoken" not in "".join(said)
    assert (process.returncode, rest) == (0, ("", ""))


def test_the_command_names_the_operations_that_answer_samples(tmp_path: Path) -> None:
    spec = ["--spec", str(changed_spec(tmp_path, add_operations)), "--port", "0"]
    names = "create_note, send_form, read_note, delete_note, find_note, upload"
    names = f"GET /Accounts/{{AccountSid}}/Calls.json, {names}\n"
    with command(*spec) as process:
        (line,) = (line for line in printed(process) if line.startswith("Samples from "))
    assert line.startswith("Samples from the contract, and no state: ")
    assert line.endswith(names)
    with command(*spec, "--", sys.executable, "-c", "") as process:
        assert process.communicate() == ("", line)


def test_the_command_allows_imports_if_it_is_told_to() -> None:
    path = NUMBERS.replace("Incoming", "Imported")
    code = "import os, sys, urllib.request as u; request = u.Request(os.environ['SIGNALWIRE_SPACE']"
    code += " + sys.argv[1], sys.argv[2].encode(), {'authorization': sys.argv[3]});"
    code += " u.urlopen(request)"
    form = "number=%2B15551234567&number_type=longcode"
    child = [sys.executable, "-c", code, path, form, basic(f"{PROJECT}:{DEFAULT_TOKEN}")]
    for option, failed in (["--allow-import"], False), ([], True):
        with command(*option, "--", *child) as process:
            process.communicate()
        assert (process.returncode != 0) == failed


def test_the_command_opens_the_api_to_the_origins_that_it_is_told(http: httpx.Client) -> None:
    origins = ("http://localhost:3000", "http://localhost:5173")
    options = [text for origin in origins for text in ("--allow-origin", origin)]
    with command("--port", "0", *options) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        for origin in origins:
            reply = http.get(url + NUMBERS, headers={"origin": origin})
            assert reply.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("tls", [[], ["--tls", "authority.pem"]])
def test_what_the_command_prints_points_a_shell_and_its_client_at_it(
    tls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with command("--port", "0", *tls) as process:
        said = printed(process)
        exports = "".join(line for line in said if line.startswith("export "))
        assert ("With TLS: https://127.0.0.1:" in "".join(said)) == bool(tls)
        assert (f"SSL_CERT_FILE={tmp_path / 'authority.pem'}\n" in exports) == bool(tls)
        script = f"{exports}exec {sys.executable} {ROOT / 'examples' / 'buy.py'} +15551234567"
        bought = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    assert "+1555" in bought.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--spec", "{folder}/none.yaml"], "No such file or directory"),
        (["--spec", "{folder}"], "Is a directory"),
        (["--spec", "{folder}/broken.yaml"], "not YAML"),
        (["--spec", "{folder}/other.yaml"], "not an OpenAPI 3.1 document"),
        (["--port", "{port}"], "port {port} of 127.0.0.1 is in use. Choose another port"),
        (["--host", "192.0.2.1"], "can't listen on port 8000 of 192.0.2.1"),
        (["--port", "65536"], "give a number from 0 to 65535"),
        (["--tls", "{folder}"], "can't write {folder}: Is a directory. Choose another --tls."),
        (["--token", ""], "argument --token: the value is empty"),
        (["--host", ""], "argument --host: the value is empty"),
        (["--journal-entries=-1"], "argument --journal-entries: '-1' is not a number"),
        (["--journal-bytes", "1k"], "'1k' is not a number: give 0 or more"),
        (["--allow-origin", "localhost:3000"], "give scheme, host and port without a path"),
        (["python", "-c", "1"], "unrecognized arguments: -c 1. Put -- before the command"),
        (["--colour"], "unrecognized arguments: --colour\n"),
        (["--"], "put the command to run after --"),
    ],
)
def test_a_command_that_cannot_serve_says_why_and_what_to_do(
    tmp_path: Path, mock: MockServer, arguments: list[str], words: str
) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")
    (tmp_path / "other.yaml").write_text("a: 1", "utf-8")
    known = {"folder": str(tmp_path), "port": mock.url.rpartition(":")[2]}
    with command(*(argument.format(**known) for argument in arguments)) as process:
        out, err = process.communicate()
    assert process.returncode in (1, 2)
    assert (out, words.format(**known) in err) == ("", True), err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1 or process.returncode == 2


@pytest.mark.parametrize(
    ("target", "words"),
    [(">&-", "it is closed"), (">/dev/full", "No space left on device"), ("", "Broken pipe")],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_command_that_cannot_say_its_address_ends_in_one_line(
    target: str, words: str, unbuffered: str
) -> None:
    script = f'"$0" -m signalwire_compat_mock --port 0 {target}'
    nobody, pipe = os.pipe()
    os.close(nobody)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    shell = ["sh", "-c", script, sys.executable]
    with subprocess.Popen(shell, stdout=pipe, stderr=subprocess.PIPE, env=environment) as told:
        error = told.communicate(timeout=60)[1].decode()
    os.close(pipe)
    assert told.returncode == 1
    problem = f"signalwire-compat-mock: can't write to standard output: {words}."
    assert error == f"{problem} Send it to a terminal, a file or a running program.\n"


def test_the_mock_needs_the_spec_and_not_the_client() -> None:
    client = "signalwire_compat"
    code = f"import sys, {client}_mock.__main__; assert {client!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
