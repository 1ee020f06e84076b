"""How a run ends when it can't be as it was meant to be, and what it leaves."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import run

from .conftest import PROGRAM, Fuzz, Shop
from .shop import AUTH, KEY

FEW = ("--seconds", "0", "--examples", "4")
HOOKS = """
from contextlib import contextmanager


@contextmanager
def around_case(case):
    with open("around.txt", "a") as file:
        file.write("before ")
        yield
        file.write("after ")
"""


def test_a_run_whose_credentials_are_refused_fails(shop: Shop, fuzz: Fuzz) -> None:
    done = fuzz("--url", shop(), "--auth", "me:wrong", *FEW)
    assert done.returncode == 2
    for operation in ("POST /orders", "GET /prices", "GET /orders/{id}"):
        wanted = f"not tested: {operation}: every reply was 401: check --auth or --header"
        assert wanted in done.stdout, done.stdout


def test_a_project_that_names_its_client_and_its_rules_fuzzes_its_server_too(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    names = '[tool.signalwire-compat-fuzz]\nclient = "its_client"\nrules = "its_rules"\n'
    (tmp_path / "pyproject.toml").write_text(names, "utf-8")
    (tmp_path / "its_client.py").touch()
    (tmp_path / "its_rules.py").write_text("def broken_rules(case):\n    return {}\n", "utf-8")
    done = fuzz("--url", shop(), "--auth", "me:wrong", *FEW)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "not tested: POST /orders: every reply was 401" in done.stdout
    assert "of the client" not in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=str)
@pytest.mark.parametrize("start", [(), ("bash", "-c", 'trap "" INT; exec "$@"', "in-background")])
def test_a_run_that_is_stopped_reports_what_it_found(
    shop: Shop, fuzz: Fuzz, tmp_path: Path, sent: signal.Signals, start: tuple[str, ...]
) -> None:
    """A shell starts what runs in the background with SIGINT ignored."""
    url, some = shop("wrong type"), ("--include", "id=listPrices", "--seconds", "600")
    with subprocess.Popen(
        [*start, str(PROGRAM), "--url", url, *some],
        cwd=tmp_path,
        env={**os.environ, "FUZZ_AUTH": AUTH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "failed server" in process.stderr.readline()
        process.send_signal(sent)
        out, err = process.communicate()
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert "FAILED GET /prices: Response violates schema" in out
    page = (tmp_path / "reports" / "fuzz.html").read_text("utf-8")
    assert "<h1>Contract fuzzing: 1 failed</h1>" in page


def test_a_hook_that_raises_stops_the_run_and_is_named(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    broken = HOOKS.replace("    with", "    raise ValueError('no database')\n    with")
    (tmp_path / "set_up.py").write_text(broken, "utf-8")
    done = fuzz("--url", shop(), "--auth", AUTH, "--seconds", "600", "--hooks", "set_up")
    assert done.returncode == 2
    assert "stopped: --hooks: around_case raised ValueError: no database" in done.stdout


def test_hooks_set_up_and_clean_up_around_each_case(shop: Shop, fuzz: Fuzz, tmp_path: Path) -> None:
    (tmp_path / "set_up.py").write_text(HOOKS, "utf-8")
    fuzz("--url", shop(), "--auth", AUTH, *FEW, "--hooks", "set_up", "--include", "tag=prices")
    told = (tmp_path / "around.txt").read_text("utf-8").split()
    assert told[::2] == ["before"] * (len(told) // 2)
    assert told[1::2] == ["after"] * (len(told) // 2) != []


def test_a_local_server_is_reached_without_a_proxy_and_only_reports_are_left(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = fuzz("--url", shop(), "--auth", AUTH, *FEW, "--include", "tag=prices", **proxy)
    assert done.returncode == 0, done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"openapi.yaml", "reports"}


@pytest.mark.slow
@pytest.mark.parametrize("backlog", [None, 5], ids=["not there", "never replies"])
def test_a_server_without_a_reply_is_waited_for_and_then_told(
    fuzz: Fuzz, backlog: int | None
) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if backlog:
            server.listen(backlog)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = fuzz("--url", url, *FEW)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"nothing replies at {url}" in done.stderr
    assert done.stderr.endswith(": start the server first\n")


def test_what_is_printed_sends_the_failing_request_again(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    done = fuzz("--url", shop("wrong type"), "--auth", AUTH, *FEW, "--include", "id=listPrices")
    curl = re.search("the same by hand: (curl .*)", done.stdout)
    assert curl, done.stdout
    assert "These lines read credentials from FUZZ_AUTH." in done.stdout
    again = run("bash", "-c", f"{curl[1]} --silent", FUZZ_AUTH=AUTH)
    assert again.stdout == '[{"code": "12345", "cents": "100"}]'
    replay = re.search(r"To replay all of it:\n  signalwire-compat-fuzz (.*)", done.stdout)
    assert replay
    assert curl[0] in fuzz(*replay[1].split(), FUZZ_AUTH=AUTH).stdout


@pytest.mark.slow
def test_a_server_that_crashes_is_told_with_its_last_requests(shop: Shop, fuzz: Fuzz) -> None:
    some = ("--include", "id=createOrder", "--seconds", "60")
    done = fuzz("--url", shop("crash"), "--auth", AUTH, *some)
    assert done.returncode == 1, done.stdout
    told = done.stdout.partition("FAILED Server: Server Unavailable")[2]
    sent = "curl -X POST -H 'Content-Type: application/json' -u \"\\$FUZZ_AUTH\" -d "
    assert re.search(f'{sent}.*"note": "[^"]*%', told), done.stdout


def test_a_slow_server_is_told_with_what_there_was_no_time_for(shop: Shop, fuzz: Fuzz) -> None:
    some = ("--include", "id=createOrder", "--seconds", "3")
    done = fuzz("--url", shop("slow"), "--auth", AUTH, *some)
    assert re.search(r"give more --seconds: half of the replies took [0-9,]+ ms", done.stdout)


def test_what_a_server_repeats_of_the_credentials_is_hidden_in_each_report(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    # With settings of its own, schemathesis hides nothing that it does not know.
    (tmp_path / "schemathesis.toml").write_text("[output]\nsanitization = { enabled = false }\n")
    some = ("--include", "id=listPrices", "--header", "X-Pass-Phrase: opensesame")
    done = fuzz("--url", shop("repeats headers"), "--auth", AUTH, *FEW, *some)
    assert done.returncode == 1, done.stdout
    reports = [path.read_text("utf-8") for path in (tmp_path / "reports").iterdir()]
    assert len(reports) == 4
    for report in (*reports, done.stdout, done.stderr):
        for secret in ("opensesame", AUTH, KEY, KEY.split()[1]):
            assert secret not in report
    assert '-u "$FUZZ_AUTH"' in done.stdout
    assert '-H "$FUZZ_HEADER"' in done.stdout


def test_a_password_may_have_a_colon(shop: Shop, fuzz: Fuzz) -> None:
    done = fuzz("--url", shop(), "--auth", "me:wrong:word", *FEW, "--include", "tag=prices")
    assert "not tested: GET /prices: every reply was 401" in done.stdout, done.stdout


def test_reports_can_be_read_whatever_a_server_says(shop: Shop, fuzz: Fuzz, tmp_path: Path) -> None:
    done = fuzz("--url", shop("odd text"), "--auth", AUTH, *FEW, "--include", "id=listPrices")
    assert done.returncode == 1, done.stdout
    ElementTree.parse(tmp_path / "reports" / "fuzz-server.xml")  # noqa: S314  # our own
    assert "\\x01" in done.stdout
    assert "\x01" not in done.stdout


def test_a_part_of_linked_operations_is_fuzzed_without_sequences(
    shop: Shop, fuzz: Fuzz, tmp_path: Path
) -> None:
    spec = tmp_path / "openapi.yaml"
    link = "links: {order: {operationId: getOrder, parameters: {id: $response.body#/id}}}"
    linked = spec.read_text("utf-8").replace(
        "description: The order.", f"description: The order.\n          {link}", 1
    )
    spec.write_text(linked, "utf-8")
    done = fuzz("--url", shop(), "--auth", AUTH, *FEW, "--include", "id=createOrder")
    assert done.returncode == 0, done.stdout
    whole = fuzz("--url", shop(), "--auth", AUTH, *FEW)
    assert (whole.returncode, "stateful: sequences" in whole.stderr) == (0, True), whole.stdout
