"""What people test their own code with: the pytest fixture, and faults on demand."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import signalwire_compat as compat
from signalwire_compat import RestClient, SignalWireError
from signalwire_compat_mock import DEFAULT_PROJECT, DEFAULT_TOKEN, Fault, FaultError, MockServer

from tests.conftest import ROOT, operations
from tests.mock import helpers
from tests.mock.helpers import ANOTHER as NUMBER

pytest_plugins = ["pytester"]

BLOCKS = re.findall(
    r"^```python\n(.*?)^```$",
    (ROOT / "mock_server" / "README.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)


def test_one_argument_gives_each_test_a_mock_of_its_own_in_parallel_workers_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The plugins of this environment cost each worker more than the tests do.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ("-p", "xdist", "-p", "signalwire_compat_mock.plugin")
    pytester.makepyfile(
        "\n".join(BLOCKS[0].replace("def test", f"def test_{i}") for i in range(12))
    )
    pytester.runpytest_subprocess(*plugins, "-n", "2").assert_outcomes(passed=12)


def test_the_settings_of_the_environment_are_back_after_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import os

        def test_with(signalwire_mock):
            assert os.environ["SIGNALWIRE_SPACE"] == signalwire_mock.url

        def test_without():
            assert "SIGNALWIRE_SPACE" not in os.environ
    """)
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=2)


@pytest.mark.parametrize(("scope", "mocks"), [("function", 6), ("module", 2), ("session", 1)])
def test_a_mock_lives_as_long_as_the_setting_says(
    pytester: pytest.Pytester, scope: str, mocks: int
) -> None:
    pytester.makeini(f"[pytest]\nsignalwire_mock_scope = {scope}")
    test = """
        import os
        import pytest

        @pytest.mark.parametrize("number", [1, 2, 3])
        def test_a_purchase(monkeypatch, signalwire_mock, number):
            assert os.environ["SIGNALWIRE_SPACE"] == signalwire_mock.url
            monkeypatch.setenv("SIGNALWIRE_SPACE", "another")
            with open("mocks", "a") as file:
                print(id(signalwire_mock), signalwire_mock.url, file=file)
    """
    pytester.makepyfile(test_first=test, test_second=test)
    pytester.runpytest().assert_outcomes(passed=6)
    lines = (pytester.path / "mocks").read_text("utf-8").splitlines()
    assert (len(lines), len(set(lines))) == (6, mocks)
    assert [name for name in os.environ if name.startswith("SIGNALWIRE_")] == []


def test_a_scope_that_pytest_does_not_know_is_refused_with_those_it_knows(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nsignalwire_mock_scope = modul")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: signalwire_mock_scope is 'modul'. It can be *module*"])
    result.stdout.no_fnmatch_line("INTERNALERROR*")


def test_a_fault_that_never_happened_fails_the_test_that_asked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_nothing(signalwire_mock):
            signalwire_mock.inject(code=30002)
    """)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*injected faults did not happen*code=30002*"])


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: code.split("def ")[1].split("(")[0])
def test_every_python_block_of_the_page_about_testing_runs(
    pytester: pytest.Pytester, code: str
) -> None:
    pytester.makepyfile(code)
    pytester.runpytest().assert_outcomes(passed=1)


def purchase(mock: MockServer, **settings: Any) -> Any:
    settings = {"look_up_timeout": 0, **settings}
    with RestClient(DEFAULT_PROJECT, DEFAULT_TOKEN, mock.url, **settings) as client:
        return client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)


@pytest.mark.parametrize(
    ("fault", "error", "charges"),
    [
        ({"code": 30002}, compat.UnprocessableEntityError, 0),
        ({"code": 20429}, compat.RateLimitError, 0),
        ({"code": 30002, "carried_out": True}, compat.UnprocessableEntityError, 1),
        ({"status": 502, "body": "<html>Bad gateway</html>"}, compat.ServerError, 0),
        ({"status": 504, "carried_out": True}, compat.ServerError, 1),
        ({"body": '{"sid": '}, compat.APIResponseError, 1),
        ({"body": b"\xff\xfe"}, compat.APIResponseError, 1),
        ({"drop": True}, compat.APIConnectionError, 1),
        ({"drop": True, "carried_out": False}, compat.APIConnectionError, 0),
        ({"body": '{"sid": ', "headers": {"Content-Length": "99"}}, compat.APIConnectionError, 1),
        ({"delay_seconds": 30}, compat.APITimeoutError, 1),
    ],
)
def test_a_fault_on_demand_is_what_the_client_meets(
    mock: MockServer, fault: dict[str, Any], error: type[SignalWireError], charges: int
) -> None:
    mock.inject(**fault)
    timeout = 1 if "delay_seconds" in fault else 30
    with pytest.raises(error):
        purchase(mock, max_retries=0, timeout=timeout)
    assert mock.charges() == mock.charges(DEFAULT_PROJECT) == charges
    assert mock.journal[-1].fault == str(Fault(**fault))
    assert mock.pending_faults == []
    if charges == 0:
        assert purchase(mock).phone_number == NUMBER


def test_faults_happen_in_the_order_of_the_calls_since_the_last_reset(mock: MockServer) -> None:
    mock.inject(code=30002)
    mock.reset()
    mock.inject(status=429, headers={"Retry-After": "0"}, times=2)
    mock.inject(delay_seconds=0.01)
    assert purchase(mock, max_retries=2).phone_number == NUMBER
    assert [exchange.status for exchange in mock.journal] == [429, 429, 201]
    assert mock.charges() == len(mock.phone_numbers()) == 1


def test_an_injected_body_is_sent_as_it_is(mock: MockServer) -> None:
    purchase(mock)
    body = mock.journal[0].reply_body.replace(NUMBER.encode(), b"+15551230000")
    mock.reset()
    mock.inject(body=body)
    with pytest.raises(compat.APIResponseError, match="another PhoneNumber"):
        purchase(mock)
    assert mock.journal[0].reply_body == body


CALLS: dict[str, Callable[[Any], Any]] = {
    "list": lambda numbers: numbers.list(),
    "purchase": lambda numbers: numbers.purchase(PhoneNumber=NUMBER),
    "get": lambda numbers: numbers.get("PN0"),
    "update": lambda numbers: numbers.update("PN0", FriendlyName="a"),
    "delete": lambda numbers: numbers.delete("PN0"),
    "import_number": lambda numbers: numbers.import_number(number=NUMBER, number_type="longcode"),
    "list_available_countries": lambda numbers: numbers.list_available_countries(),
    "search_local": lambda numbers: numbers.search_local("US"),
    "search_toll_free": lambda numbers: numbers.search_toll_free("US"),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_fault_of_an_operation_waits_for_a_request_of_that_operation(
    mock: MockServer, operation: str
) -> None:
    mock.inject(code=20010, operation=operation)
    other = "purchase" if operation == "list" else "list"
    with RestClient(DEFAULT_PROJECT, DEFAULT_TOKEN, mock.url) as client:
        CALLS[other](client.compat.phone_numbers)
        mock.inject(drop=True, operation=other)
        with pytest.raises(SignalWireError) as caught:
            CALLS[operation](client.compat.phone_numbers)
    assert (caught.value.status, caught.value.code) == (422, 20010)
    assert [fault.operation for fault in mock.pending_faults] == [other]
    exchange = mock.journal[-1]
    assert (exchange.operation_id, exchange.refusal) == (operation, caught.value.message)
    assert exchange.fault == f"code=20010, operation={operation!r}"


def test_every_operation_of_a_phone_number_keeps_state_and_takes_faults(mock: MockServer) -> None:
    assert sorted(CALLS) == sorted(operations(helpers.SPEC))
    assert not {*CALLS} & {*mock.sample_operations}


def test_a_mock_with_a_late_answer_still_closes_at_once() -> None:
    with MockServer() as mock:
        mock.inject(delay_seconds=600)
        with pytest.raises(compat.APITimeoutError):
            purchase(mock, timeout=0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({}, "an empty fault changes nothing"),
        ({"code": 1}, "code 1 is not a published error code: use one of 4000"),
        ({"code": "30002"}, "code is not int"),
        ({"code": True}, "code is not int"),
        ({"code": 30002, "status": 422}, "code brings its own status"),
        ({"status": 99}, "status 99 can't be sent: use 200 to 599"),
        ({"delay_seconds": -1}, "delay_seconds is -1: use 0 to 600"),
        ({"drop": True, "body": "x"}, "drop closes the connection"),
        ({"drop": True, "times": 0}, "times is 0: use 1 to 1000000"),
        ({"drop": True, "times": 10**20}, "use 1 to 1000000"),
        ({"drop": True, "times": "x"}, "times is not int"),
        ({"body": 5}, "body is not str"),
        ({"headers": {"x": 1}}, "headers has a value that is not text"),
        ({"headers": {"x": "€"}}, "one line of Latin-1"),
        ({"headers": {"x": "a\nb"}}, "Illegal header value"),
        ({"headers": {"x y": "a"}}, "Illegal header name"),
        ({"headers": {"x": " a"}}, "headers has 'x' with ' a'"),
        ({"headers": {"x": "a\t"}}, "Illegal header value"),
        ({"headers": {"Content-Length": "many"}}, "bad Content-Length"),
        ({"headers": {"Transfer-Encoding": "gzip"}}, "Transfer-Encoding"),
        ({"delay_seconds": "x"}, "delay_seconds is not int or float"),
        ({"delay_seconds": None}, "delay_seconds is not int or float"),
        ({"status": 503, "drop": None}, "drop is not bool"),
        ({"operation": "delete"}, "an empty fault changes nothing"),
        ({"drop": True, "operation": "buy"}, "operation buy is not known: use one of list"),
        ({"drop": True, "operation": 1}, "operation is not str"),
    ],
)
def test_an_invalid_fault_is_refused_with_the_valid_choices(
    mock: MockServer, fault: dict[str, Any], words: str
) -> None:
    with pytest.raises(FaultError, match=re.escape(words)):
        mock.inject(**fault)
    reply = httpx.post(mock.url + "/faults", json=fault)
    assert (reply.status_code, words in reply.json()["message"]) == (400, True)
    assert mock.pending_faults == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1 column 2"),
        (b"[]", "a fault is a JSON object"),
        (b'{"cod": 1}', "cod is unknown: name one or more of code, status"),
        (rb'{"body": "\ud800"}', "body holds half of a surrogate pair"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_a_fault_over_http_that_cannot_be_read_is_refused(
    mock: MockServer, content: bytes, words: str
) -> None:
    sent_as = {"content-type": "application/json"}
    reply = httpx.post(mock.url + "/faults", content=content, headers=sent_as)
    assert (reply.status_code, words in reply.json()["message"]) == (400, True)


def test_a_program_in_any_language_injects_faults_over_http(mock: MockServer) -> None:
    fault = {"code": 4001, "times": 2}
    assert httpx.post(mock.url + "/faults", json=fault).status_code == 204
    for _ in range(2):
        with pytest.raises(compat.UnprocessableEntityError, match="4001"):
            purchase(mock)
    assert purchase(mock).phone_number == NUMBER


def test_the_command_runs_another_one_with_the_mock_in_its_environment(tmp_path: Path) -> None:
    module = [sys.executable, "-m", "signalwire_compat_mock", "--"]
    code = "import os, urllib.request as u; u.urlopen(os.environ['SIGNALWIRE_SPACE'] + '/docs')"
    failing = [*module, sys.executable, "-c", f"{code}; raise SystemExit(7)"]
    assert subprocess.run(failing, check=False).returncode == 7
    missing = [*module, str(tmp_path / "none")]
    told = subprocess.run(missing, check=False, capture_output=True, text=True)
    assert (told.returncode, "No such file" in told.stderr) == (127, True)
