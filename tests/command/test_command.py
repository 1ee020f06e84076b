"""The command calls every operation of the contract, and its exit status says how that ended."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from signalwire_compat_mock import MockServer

from codegen.document import at, called_operations, merged, parameters_of
from tests.conftest import PROJECT, ROOT, VARIABLES, answered_on_a_terminal, run

ONE, TWO = "+15551230001", "+15551230002"
BUY = ("purchase", "--phone-number", ONE)
SUBPROJECT = "6b7c8d9e-0f1a-4b2c-8d3e-4f5a6b7c8d9e"
COMMAND = Path(sys.executable).with_name("signalwire-compat")


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def call(
    mock: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run an operation of phone numbers in this process, against the mock."""

    def call(*words: str, **settings: str) -> Ended:
        for name, value in {**mock.environment, **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["signalwire-compat", "phone-numbers", *words])
        (command,) = entry_points(group="console_scripts", name="signalwire-compat")
        try:
            status = command.load()()
        except SystemExit as ended:
            status = ended.code
        return Ended(status, *capsys.readouterr())

    return call


def sent(mock: MockServer) -> list[str]:
    """Write the requests that arrived: method, last part of the path, query and form."""
    return [
        f"{e.method} {e.path.rpartition('/')[2]} {e.query or e.body.decode()}".rstrip()
        for e in mock.journal
    ]


@pytest.mark.parametrize(
    ("words", "request_", "shown"),
    [
        (
            "search-local US --area-code 512",
            "GET Local AreaCode=512",
            "phone_number  friendly_name   rate_center  region  iso_country\n"
            "+15125550100  (512) 555-0100  AUSTIN       TX      US\n",
        ),
        ("search-toll-free US --no-beta", "GET TollFree Beta=false", "phone_number  friendly_name"),
        ("list-available-countries", "GET AvailablePhoneNumbers", "country_code  country"),
        (f"{shlex.join(BUY)} --sms-method GET --yes", "", f"phone_number            {ONE}\n"),
        ("list --page-size=5", "GET IncomingPhoneNumbers PageSize=5", "Nothing found.\n"),
        (
            "search-local US --area-code=999",
            "GET Local AreaCode=999",
            "Nothing found.\n",
        ),
        (
            f"import-number --number {ONE} --number-type longcode --capabilities sms "
            f"--capabilities fax",
            f"POST ImportedPhoneNumbers number=%2B{ONE[1:]}&number_type=longcode"
            "&capabilities=sms&capabilities=fax",
            'capabilities            {"voice": false, "sms": true, "mms": false, "fax": true}\n',
        ),
    ],
)
def test_an_operation_is_called_with_the_options_and_shown_as_a_table(
    call: Run, mock: MockServer, words: str, request_: str, shown: str
) -> None:
    mock.allow_import = True
    ended = call(*shlex.split(words))
    assert (ended.status, ended.err) == (0, "")
    assert shown in ended.out
    assert sent(mock) == [
        request_ or f"POST IncomingPhoneNumbers PhoneNumber=%2B{ONE[1:]}&SmsMethod=GET"
    ]


def test_a_number_is_changed_transferred_and_released(call: Run, mock: MockServer) -> None:
    sid = json.loads(call(*BUY, "--yes", "--json").out)["sid"]
    assert "friendly_name           Desk\n" in call("update", sid, "--friendly-name", "Desk").out
    assert call("update", sid, "--account-sid", SUBPROJECT).status == 0
    mock.advance(days=14)
    gone = call("delete", sid, "--account-sid", SUBPROJECT, "--yes")
    assert (gone.status, gone.out) == (0, "Done.\n")
    assert call("get", sid, "--account-sid", SUBPROJECT).status == 1
    assert not mock.phone_numbers()


def test_every_operation_has_help_in_the_words_of_the_contract(
    call: Run, contract: dict[str, Any]
) -> None:
    for where, node in called_operations(contract):
        ended = call(node["operationId"].replace("_", "-"), "--help")
        shown = re.sub(r"\s+|`|--", "", ended.out)
        texts = [node["summary"], node["description"]]
        parameters = (at(contract, end) for _, end in parameters_of(contract, where))
        texts += [part["description"] for part in parameters if "x-client-default" not in part]
        for media in node.get("requestBody", {"content": {}})["content"].values():
            for member in merged(contract, media["schema"])["properties"].values():
                texts.append(member["description"])
                shape = merged(contract, member)
                allowed = shape.get("enum") or merged(contract, shape.get("items", {})).get("enum")
                texts.append("{" + ",".join(sorted(allowed)) + "}" if allowed else "")
        for text in texts:
            # The names of arguments are spelled as options there.
            for part in re.split(r"`\w+`", text):
                assert re.sub(r"\s+|`|--", "", part) in shown, text


def test_json_is_one_document_with_every_member(call: Run, mock: MockServer) -> None:
    bought = json.loads(call(*BUY, "--yes", "--json").out)
    assert bought == mock.phone_numbers()[0]
    page = json.loads(call("list", "--json").out)
    assert page["incoming_phone_numbers"] == [bought]
    assert page["next_page_uri"] is None


def test_all_pages_are_asked_for_only_on_purpose(call: Run, mock: MockServer) -> None:
    for number in (ONE, TWO, "+15551230003"):
        call("purchase", "--phone-number", number, "--yes")
    ended = call("list", "--page-size", "2")
    assert len(ended.out.splitlines()) == 3
    assert ended.err == "There are more pages: --all asks for them.\n"
    assert len(call("list", "--page-size", "2", "--all").out.splitlines()) == 4
    whole = json.loads(call("list", "--page-size", "2", "--all", "--json").out)
    assert len(whole["incoming_phone_numbers"]) == 3
    assert whole["next_page_uri"] is None
    assert [line[:3] for line in sent(mock)[3:]] == ["GET"] * 5


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["list"], 0, ""),
        (["list", "--project", "x:y"], 2, "project is not a Project ID"),
        (
            ["list", "--page-size", "0"],
            2,
            "PageSize must be a whole number, at least 1, at most 1000, got int 0\n",
        ),
        (
            ["list", "--page-size", "many"],
            2,
            'PageSize must be a whole number, at least 1, at most 1000, got "many"\n',
        ),
        (["get"], 2, "usage: signalwire-compat phone-numbers get Sid [options]\n"),
        (["get", "x"], 1, "phone_numbers.get(Sid='x'): status 404, code 20404: "),
        (["buy"], 2, "usage: signalwire-compat phone-numbers [-h] OPERATION ...\n"),
        ([*BUY, "--sms-method", "PUT", "--yes"], 2, "usage: signalwire-compat phone-numbers pur"),
        (["purchase", "--phone-number", "5", "--yes"], 2, 'PhoneNumber must be E.164: "+" and 5 '),
        (["purchase", "--phone-number", "+15550004001", "--yes"], 1, "phone_numbers.purchase(Phon"),
        ([*BUY, "--yes", "--host", "127.0.0.1:9"], 1, "phone_numbers.purchase(PhoneNumber="),
        # Nobody can be asked here.
        ([*BUY], 2, f"phone_numbers.purchase(PhoneNumber='{ONE}') for project {PROJECT} at 127.0."),
        (["delete", "x"], 2, "phone_numbers.delete(Sid='x') for project"),
    ],
)
def test_the_exit_status_says_how_it_ended(
    call: Run, mock: MockServer, words: list[str], status: int, said: str
) -> None:
    ended = call(*words)
    assert (ended.status, ended.err[: len(said)]) == (status, said)
    assert bool(ended.out) == (status == 0)
    assert bool(mock.journal) == (status != 2 and "--host" not in words)


@pytest.mark.parametrize(
    ("words", "operation", "said"),
    [
        ("list --pages", "list [options]", "unexpected: --pages"),
        ("list --token PT0 --token=PT0", "list [options]", "unexpected: --token --token"),
        ("list 5", "list [options]", "unexpected: 5"),
        ("list --host a --host b", "COMMAND ... [options]", "argument --host: it was given twice"),
        (f"purchase {ONE}", "", f"unexpected: {ONE}; missing: --phone-number TEXT"),
        ("purchase --phone 5", "", "unexpected: --phone; missing: --phone-number TEXT"),
        ("purchase", "purchase --phone-number TEXT [options]", "missing: --phone-number TEXT"),
        ("import-number", "", "missing: --number TEXT --number-type {longcode,tollfree}"),
    ],
)
def test_a_wrong_command_line_is_told_with_the_options_that_are_missing(
    call: Run, mock: MockServer, words: str, operation: str, said: str
) -> None:
    ended = call(*words.split())
    usage, error = ended.err.splitlines()
    assert (ended.status, operation in usage, error.partition(" error: ")[2]) == (2, True, said)
    assert not mock.journal


def test_settings_stand_anywhere_and_names_may_be_spelled_as_in_python(
    mock: MockServer,
) -> None:
    project = {**mock.environment, "SIGNALWIRE_PROJECT_ID": ""}
    for words in (
        ("--project", PROJECT, "phone-numbers", "search-local", "US"),
        ("phone_numbers", f"--project={PROJECT}", "search_local", "US"),
        ("phone-numbers", "search-local", "US", "--project", PROJECT),
    ):
        assert run(COMMAND, *words, cwd=ROOT, **project).stdout.startswith("phone_number  ")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("SIGNALWIRE_PROJECT_ID", "project is missing: pass --project, or set SIGNALWIRE_PROJECT_"),
        ("SIGNALWIRE_API_TOKEN", "token is missing: set SIGNALWIRE_API_TOKEN.\n"),
        ("SIGNALWIRE_SPACE", "host is missing: pass --host, or set SIGNALWIRE_SPACE.\n"),
    ],
)
def test_a_missing_setting_is_said_before_anything_is_sent(
    call: Run, mock: MockServer, variable: str, said: str
) -> None:
    ended = call(*BUY, "--yes", **{variable: ""})
    assert (ended.status, ended.err[: len(said)]) == (2, said)
    assert not mock.journal


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("http://a.test", "http would send the token unencrypted. Pass a name such as "),
        ("pass host= to the client, or set", "it holds a character that URLs can't have."),
    ],
)
def test_a_host_that_can_not_be_used_is_told_in_the_words_of_the_command(
    call: Run, host: str, problem: str
) -> None:
    ended = call(*BUY, "--yes", "--host", host)
    said = f"host can't be '{host}': {problem}"
    assert (ended.status, ended.err[: len(said)]) == (2, said)


def test_an_unknown_outcome_says_how_to_look_for_it(call: Run, mock: MockServer) -> None:
    mock.inject(drop=True, operation="purchase")
    mock.inject(status=404, operation="list")
    ended = call(*BUY, "--yes", "--host", mock.url)
    assert (ended.status, ended.out) == (3, "")
    *known, look = ended.err.splitlines()
    assert "It may have taken effect" in " ".join(known)
    command = look.removeprefix("To look for it: signalwire-compat phone-numbers ")
    assert command == f"list --account-sid {PROJECT} --phone-number {ONE} --host {mock.url}"
    assert mock.phone_numbers()[0]["sid"] in call(*shlex.split(command)).out


def test_a_reply_that_breaks_the_contract_names_the_sid_that_it_had(
    call: Run, mock: MockServer
) -> None:
    mock.inject(body='{"sid": "PN1", "phone_number": 5}', operation="purchase")
    mock.inject(status=404, operation="list")
    ended = call(*BUY, "--yes")
    assert ended.status == 3
    assert "The reply named this SID: PN1\n" in ended.err


def test_a_number_that_was_found_by_looking_is_a_success(call: Run, mock: MockServer) -> None:
    mock.inject(drop=True, operation="purchase")
    ended = call(*BUY, "--yes", "--json")
    assert (ended.status, json.loads(ended.out)["sid"]) == (0, mock.phone_numbers()[0]["sid"])


@pytest.mark.parametrize(
    ("answer", "status"), [("y", 0), ("yes", 0), ("n", 1), ("", 1), ("yesterday", 1)]
)
def test_what_costs_money_is_asked_for_on_a_terminal(
    mock: MockServer, contract: dict[str, Any], answer: str, status: int
) -> None:
    command = (sys.executable, "-W", "error", COMMAND, "phone-numbers", *BUY)
    ended = answered_on_a_terminal(answer, *command, environment=mock.environment)
    assert ended.returncode == status
    (caution,) = (e["x-caution"] for _, e in called_operations(contract) if "x-caution" in e)
    assert (
        f"phone_numbers.purchase(PhoneNumber='{ONE}') for project {PROJECT} at 127." in ended.stderr
    )
    assert f"\n{caution} Go on? [y/N] " in ended.stderr
    assert ended.stderr.endswith("[y/N] " if status == 0 else "[y/N] Nothing was sent.\n")
    assert (mock.charges(), bool(ended.stdout)) == (1 - status, status == 0)


def test_what_a_server_sends_reaches_the_terminal_without_control_characters(
    call: Run, mock: MockServer
) -> None:
    call(*BUY, "--friendly-name", "a\x1b[2J\nb\x9b", "--yes")
    shown = call("list").out + call("list", "--json").out
    assert "a [2J b  " in shown
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("phone-numbers", *BUY, "--yes"), "The call was carried out.\nThe SID is {sid}.\n"),
        (("phone-numbers", "list"), "The call was carried out.\n"),
        (
            ("bulk", "phone_numbers.purchase", "rows.csv", "results.jsonl", "--yes"),
            "Every call has ended. {folder}/results.jsonl has the outcomes.\n",
        ),
    ],
)
def test_a_result_that_can_not_be_written_is_said_with_where_to_find_it(
    mock: MockServer, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "rows.csv").write_text(f"PhoneNumber\n{ONE}\n")
    env = {**os.environ, **mock.environment}
    command = [sys.executable, "-W", "error", str(COMMAND), *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=tmp_path, env=env, stdout=full, stderr=-1, text=True, check=False
        )
    sid = mock.phone_numbers()[0]["sid"] if mock.charges() else ""
    said = f"The result can't be written: No space left on device. {said}"
    assert (done.returncode, done.stderr) == (3, said.format(sid=sid, folder=tmp_path))


@pytest.mark.parametrize(
    ("closed", "options", "status", "said"),
    [
        (0, (), 2, "Nobody can be asked here"),
        (0, ("--yes",), 0, ""),
        (1, ("--yes",), 2, "Standard output is closed, so nothing was sent.\n"),
        (2, ("--yes",), 0, ""),
    ],
)
@pytest.mark.parametrize("kind", ["one", "bulk"])
def test_a_closed_stream_ends_no_purchase_halfway(
    mock: MockServer,
    tmp_path: Path,
    kind: str,
    closed: int,
    options: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    (tmp_path / "rows.csv").write_text(f"PhoneNumber\n{ONE}\n")
    bulk = ("bulk", "phone_numbers.purchase", "rows.csv", "results.jsonl")
    words = bulk if kind == "bulk" else ("phone-numbers", *BUY)
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}>&-', "sh", str(COMMAND), *words, *options],
        cwd=tmp_path,
        env={**os.environ, **mock.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, mock.charges()) == (status, int(status == 0))
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_status_is_right_if_errors_can_not_be_written(mock: MockServer) -> None:
    mock.inject(drop=True, carried_out=False, times=99)
    env = {**os.environ, **mock.environment}
    words = [str(COMMAND), "phone-numbers", *BUY, "--yes"]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(words, env=env, stderr=full, check=False).returncode == 3


def test_an_option_given_twice_is_refused(call: Run, mock: MockServer) -> None:
    done = call(*BUY, "--phone-number", TWO, "--yes")
    assert (done.status, mock.charges()) == (2, 0)
    assert "argument --phone-number: it was given twice" in done.err


def test_the_command_is_a_module_as_well_and_says_its_version(mock: MockServer) -> None:
    module = [sys.executable, "-W", "error", "-m", "signalwire_compat"]
    found = run(*module, "phone-numbers", "list", "--json", cwd=ROOT, **mock.environment)
    assert json.loads(found.stdout)["incoming_phone_numbers"] == []
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version
    assert run(*module, "--version").stdout == f"signalwire-compat {version[1]}\n"


@pytest.mark.parametrize(("sent", "status", "said"), [(2, 130, "Inter"), (15, 143, "Termin")])
def test_a_signal_ends_a_purchase_and_says_how_to_look_for_it(
    mock: MockServer, sent: int, status: int, said: str
) -> None:
    mock.inject(delay_seconds=60, operation="purchase")
    with subprocess.Popen(
        [sys.executable, "-W", "error", COMMAND, "phone-numbers", *BUY, "--yes"],
        env={**os.environ, **mock.environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not mock.journal:
            assert process.poll() is None
        process.send_signal(sent)
        assert process.stderr
        warned, look, ended = process.stderr.read().splitlines()
    assert (process.returncode, ended[: len(said)]) == (status, said)
    assert "was interrupted after it was sent: it may have taken effect" in warned
    assert look.startswith("To look for it: signalwire-compat phone-numbers list --account-sid ")


def test_the_settings_have_the_names_that_the_client_reads(call: Run) -> None:
    shown = call("list", "--help").out
    assert all(f"${name}" in shown for name in VARIABLES)
