"""Everything that is wrong with the input is told by its line, before anything is bought."""

import pytest

from tests.bulk.conftest import PURCHASE, Bulk

ONE, TWO = "+15551230001", "+15551230002"
VOICE = 'VoiceMethod must be "GET" or "POST", got "PUT"'
NAMES = ": line 1: name each column, and each name once."


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("number\n+15551230001\n", [f": line 1: {PURCHASE} has no argument 'number'. It has Pho"]),
        (
            "PhoneNumber,note\n+15551230001,a\n",
            [f": line 1: {PURCHASE} has no argument 'note'. It "],
        ),
        ("PhoneNumber,PhoneNumber\n+1,+1\n", [NAMES]),
        ("", [NAMES]),
        ('{"account": "a"}\n', [" holds JSON, as a results file does. Name a CSV file."]),
        (
            "PhoneNumber,VoiceMethod\n+15551230001,GET\n555,PUT\n\n,GET\n+15551230002,PUT\n",
            [
                f': line 3: PhoneNumber must be E.164: "+" and 5 to 17 digits, got "555"; {VOICE}',
                ": line 5: phone_numbers.purchase: missing a required argument: 'PhoneNumber'",
                f": line 6: {VOICE}",
            ],
        ),
        ("PhoneNumber\n+15551230001,x\n", [": line 2: it has more cells than the first line"]),
        (
            "PhoneNumber,FriendlyName\n+15551230001,a\n+15551230001,b\n+15551230001,a\n",
            [": line 3: it repeats line 2 with other arguments"],
        ),
        ("PhoneNumber\nZürich\n".encode("latin-1"), [" is not a CSV file in UTF-8: "]),
        ("PhoneNumber\n+15551230001\n".encode("utf-16"), [" is not a CSV file in UTF-8: "]),
        ("PhoneNumber\n" + "1" * 200_000, [" is not a CSV file in UTF-8: field larger than"]),
    ],
)
def test_each_wrong_line_is_told_before_anything_is_bought(
    bulk: Bulk, content: str | bytes, problems: list[str]
) -> None:
    bulk.numbers.write_bytes(content if isinstance(content, bytes) else content.encode())
    ended = bulk.run()
    assert (ended.status, ended.out) == (2, "")
    for line, problem in zip(ended.err.splitlines(), problems, strict=True):
        assert line.startswith(f"{bulk.numbers}{problem}")
    assert list(bulk.folder.iterdir()) == [bulk.numbers]
    assert not bulk.mock.journal


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["none.csv", "results.jsonl"], "none.csv can't be opened: No such file or directory.\n"),
        ([".", "results.jsonl"], ". can't be opened: Is a directory.\n"),
        (["numbers.csv", "none/r"], "none/r can't be created: none is not a folder.\n"),
        (["numbers.csv", "./numbers.csv"], "error: numbers.csv can't be both ROWS and RESULTS\n"),
    ],
)
def test_a_file_that_can_not_be_used_is_named(bulk: Bulk, files: list[str], said: str) -> None:
    bulk.write(ONE)
    bulk.monkeypatch.chdir(bulk.folder)
    ended = bulk.call("bulk", PURCHASE, *files)
    assert (ended.status, ended.err[-len(said) :]) == (2, said)
    assert not bulk.mock.journal


def test_a_row_gives_the_arguments_of_its_call(bulk: Bulk) -> None:
    lines = ("PhoneNumber,FriendlyName,SmsUrl", f' {ONE} ,"Desk, 1",', f"{TWO},,https://a.test/s")
    bulk.numbers.write_text(
        "\ufeff" + "\r\n".join([*lines, "", f"{TWO},,https://a.test/s"]), "utf-8"
    )
    files = (str(bulk.numbers), str(bulk.results))
    ended = bulk.call(
        "bulk", PURCHASE, *files, "--set", "VoiceMethod=GET", "--set", "SmsUrl=https://a.test/"
    )
    assert (ended.status, ended.outcomes) == (0, {ONE: "done", TWO: "done"})
    names = ("phone_number", "friendly_name", "sms_url", "voice_method")
    assert {tuple(n[name] for name in names) for n in bulk.mock.phone_numbers()} == {
        (ONE, "Desk, 1", "https://a.test/", "GET"),
        (TWO, "(555) 123-0002", "https://a.test/s", "GET"),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("SmsUrl",), "SmsUrl: give NAME=VALUE, and each name once.\n"),
        (("SmsUrl=a", "SmsUrl=b"), "SmsUrl=a SmsUrl=b: give NAME=VALUE, and each name once.\n"),
        (("Sms=a",), f"{PURCHASE} has no argument 'Sms'. It has PhoneNumber, "),
    ],
)
def test_an_argument_of_all_rows_is_known_and_given_once(
    bulk: Bulk, words: tuple[str, ...], said: str
) -> None:
    files = (str(bulk.numbers), str(bulk.results))
    ended = bulk.call("bulk", PURCHASE, *files, "--set", *words)
    assert (ended.status, ended.err[: len(said)], bulk.mock.journal) == (2, said, [])


def test_any_operation_that_can_be_looked_up_is_called_in_bulk(bulk: Bulk) -> None:
    bulk.mock.allow_import = True
    text = f'number,number_type,capabilities\n{ONE},longcode,"[""sms"", ""mms""]"\n'
    bulk.numbers.write_text(text, "utf-8")
    files = (str(bulk.numbers), str(bulk.results))
    assert bulk.call("bulk", "phone_numbers.import_number", *files).outcomes == {ONE: "done"}
    (number,) = bulk.mock.phone_numbers()
    assert number["capabilities"] == {"voice": False, "sms": True, "mms": True, "fax": False}


def test_an_operation_whose_outcome_can_not_be_looked_up_is_refused(bulk: Bulk) -> None:
    bulk.numbers.write_text("Sid\nx\ny\n", "utf-8")
    ended = bulk.call("bulk", "phone_numbers.update", str(bulk.numbers), str(bulk.results))
    problem = "phone_numbers.update can't be called in bulk: the contract has"
    assert (ended.status, ended.err[: len(problem)]) == (2, problem)
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("name", ["phone_numbers.buy", "phone-numbers purchase", "purchase"])
@pytest.mark.parametrize("find", [False, True])
def test_a_name_that_is_not_an_operation_is_told_with_those_that_are(
    bulk: Bulk, name: str, find: bool
) -> None:
    searched = ("--find", "phone_numbers.search_local", "US", "--count", "2", "--results", "r")
    files = searched if find else (str(bulk.numbers), str(bulk.results))
    ended = bulk.call("bulk", *name.split(), *files)
    wrong = name.split()[0].replace("-", "_")
    assert f"error: argument TAG.OPERATION: {wrong} is not an operation. Name one" in ended.err
    assert (ended.status, PURCHASE in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["phone_numbers.list"], "phone_numbers.list finds nothing for phone_numbers.purchase."),
        (["phone_numbers.search_local"], "phone_numbers.search_local: missing a required argument"),
        (["phone_numbers.search_local", "US", "512"], "phone_numbers.search_local: too many posit"),
        (["phone_numbers.search_local", "US", "Beta=yes"], 'Beta must be true or false, got "yes"'),
        (
            ["phone_numbers.search_local", "US", "Area=5"],
            "phone_numbers.search_local has no argument",
        ),
    ],
)
def test_a_wrong_search_is_told_before_anything_is_sent(
    bulk: Bulk, words: list[str], problem: str
) -> None:
    ended = bulk.call(
        *("bulk", PURCHASE, "--count", "2", "--results", str(bulk.results), "--find", *words)
    )
    assert (ended.status, ended.err[: len(problem)]) == (2, problem)
    assert not bulk.mock.journal


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["numbers.csv"],
        ["numbers.csv", "results.jsonl", "--count", "2"],
        ["--find", "phone_numbers.search_local", "US", "--results", "results.jsonl"],
        ["--find", "phone_numbers.search_local", "US", "--count", "0", "--results", "r.jsonl"],
        ["numbers.csv", "results.jsonl", "--find", "phone_numbers.search_local", "--count", "2"],
    ],
)
def test_a_wrong_command_line_ends_with_the_usage(bulk: Bulk, arguments: list[str]) -> None:
    ended = bulk.call("bulk", PURCHASE, *arguments)
    assert (ended.status, ended.err[:29]) == (2, "usage: signalwire-compat bulk")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--concurrency", "0"], "argument --concurrency: 0 is not a whole number from 1"),
        (["--settle", "nan"], "argument --settle: nan is not a number of seconds from 0"),
        (["--settle=-1"], "argument --settle: -1 is not a number of seconds from 0"),
    ],
)
def test_a_wrong_number_among_the_options_is_told(bulk: Bulk, option: list[str], said: str) -> None:
    ended = bulk.call("bulk", PURCHASE, "numbers.csv", "results.jsonl", *option)
    assert ended.status == 2
    assert said in " ".join(ended.err.split())


def test_a_missing_setting_is_said_and_leaves_nothing_behind(bulk: Bulk) -> None:
    ended = bulk.run(ONE, settings={"SIGNALWIRE_API_TOKEN": ""})
    assert (ended.status, ended.err[:18]) == (2, "token is missing: ")
    assert list(bulk.folder.iterdir()) == [bulk.numbers]
