"""The command `signalwire-compat-mock`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.document import Document

from tests.conftest import PROJECT, ROOT
from tests.mock.helpers import NUMBER, NUMBERS, number_of


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
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(5)]
        url, pages = said[0].split()[-1], said[1].split()[-3::2]
        for page in pages:
            assert "<html" in http.get(page, headers={"Accept": "text/html"}).text
        for _ in range(2):
            reply = http.post(url + NUMBERS, auth=(PROJECT, "spoken"), data={"PhoneNumber": NUMBER})
        process.send_signal(name)
        rest = process.communicate()
    assert pages == [url + "/docs", url + "/journal"]
    assert number_of(reply)["phone_number"] == NUMBER
    assert "with your token as SIGNALWIRE_API_TOKEN" in said[2]
    assert "spoken" not in "".join(said)
    assert (process.returncode, rest) == (0, ("", ""))


def test_what_the_command_prints_points_a_shell_and_its_client_at_it() -> None:
    with command("--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        exports = "".join(line for line in lines if line.startswith("export "))
        script = f"{exports}exec {sys.executable} {ROOT / 'examples' / 'buy.py'}"
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
        (["--token", ""], "argument --token: the value is empty"),
        (["--host", ""], "argument --host: the value is empty"),
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
    told = subprocess.run(
        ["sh", "-c", script, sys.executable],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        check=False,
        stdout=pipe,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(pipe)
    assert told.returncode == 1
    problem = f"signalwire-compat-mock: can't write to standard output: {words}."
    assert told.stderr == f"{problem} Send it to a terminal, a file or a running program.\n"


def test_the_mock_needs_the_spec_and_not_the_client() -> None:
    code = (
        "import sys, signalwire_compat_mock.__main__; sys.exit('signalwire_compat' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_schema_is_read_with_all_that_stands_for_it_and_each_part_once() -> None:
    schemas = {
        "Whole": {"allOf": [{"$ref": "#/schemas/Base"}, {"$ref": "#/schemas/Base"}, {"type": "x"}]},
        "Base": {"allOf": [{"$ref": "#/schemas/Whole"}], "required": ["a"]},
    }
    document = Document({"schemas": schemas})
    found = [pointer.removeprefix("/schemas/") for pointer, _ in document.parts("/schemas/Whole")]
    assert found == [
        *("Whole", "Whole/allOf/0", "Whole/allOf/1", "Whole/allOf/2"),
        *("Base", "Base/allOf/0"),
    ]
    assert document.required("/schemas/Whole") == {"a"}
