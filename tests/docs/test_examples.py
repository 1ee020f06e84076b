"""What the README and examples/ show is what happens."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import signalwire_compat
from signalwire_compat import SignalWireError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT, ROOT, VARIABLES, run
from tests.docs.conftest import Execute, blocks

README, GUIDE = ROOT / "README.md", ROOT / "docs" / "guide.md"
PYTHON = blocks(README, "python")
(SETTINGS,) = [code for code in blocks(README, "sh") if "export" in code]
TYPED = [*blocks(README, "sh"), *blocks(GUIDE, "sh")]
SHELL = [line for code in TYPED if code != SETTINGS for line in code.splitlines()]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
COMMANDS = {
    "bulk_buy.py": (f"{ROOT}/examples/numbers.csv results.jsonl", 1, "3 of 4 done.\n"),
    "find_and_buy.py": ("512 3 results.jsonl", 0, "3 of 3 done.\n"),
}
HAVE_TESTS_OF_THEIR_OWN = ("status_callback.py", "test_my_code.py", *COMMANDS)
SCRIPTS = [path for path in EXAMPLES if path.name not in HAVE_TESTS_OF_THEIR_OWN]

slow = partial(pytest.param, marks=pytest.mark.slow)


def filled(code: str, mock: MockServer) -> str:
    """Put the settings of the mock in the place of the page's."""
    code = code.replace("your-project-id", PROJECT).replace("your-api-token", DEFAULT_TOKEN)
    code = code.replace("your-number", "+15551234567")
    return code.replace("your-space.signalwire.com", mock.url)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_example_runs_against_the_mock(
    path: Path, mock: MockServer, execute: Execute
) -> None:
    number = ("+15551234567",) if path.name == "buy.py" else ()
    ended = execute(path.read_text("utf-8"), *number, environment=mock.environment)
    assert (ended.status, ended.err) == (0, "")
    assert re.search(r"\+1(555|512)\d{7}", ended.out)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_that_calls_the_command_buys(
    name: str, mock: MockServer, tmp_path: Path
) -> None:
    words, status, said = COMMANDS[name]
    command = (sys.executable, str(ROOT / "examples" / name), *words.split())
    assert run(*command, cwd=tmp_path, **mock.environment).returncode == 2
    done = run(*command, "--yes", cwd=tmp_path, **mock.environment)
    assert (done.returncode, done.stdout[-len(said) :], mock.charges()) == (status, said, 3)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_to_an_example_that_calls_the_command_ends_its_calls_first(
    name: str, mock: MockServer, tmp_path: Path
) -> None:
    def stop(answer: Answer) -> Answer:
        if answer.operation_id == "purchase" and mock.charges() == 1:
            process.send_signal(signal.SIGTERM)
        return answer

    words = [*COMMANDS[name][0].split(), "--concurrency", "1", "--yes"]
    with (
        mock.answering(stop),
        subprocess.Popen(
            [sys.executable, ROOT / "examples" / name, *words],
            cwd=tmp_path,
            env={**os.environ, **mock.environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        out, _ = process.communicate()
    assert (process.returncode, f"\n{mock.charges()} of " in out) == (143, True)


def test_the_example_buys_the_number_that_it_is_given(mock: MockServer, execute: Execute) -> None:
    code = (ROOT / "examples" / "buy.py").read_text("utf-8")
    assert execute(code, "+15557654321", environment=mock.environment).status == 0
    (number,) = mock.phone_numbers()
    assert (number["phone_number"], number["voice_url"]) == ("+15557654321", None)
    ended = execute(code, environment=mock.environment)
    assert (ended.status, ended.err[:23]) == (1, "Name the number to buy,")
    assert mock.charges() == 1


@pytest.mark.parametrize("space", ["", "127.0.0.1:9"])
@pytest.mark.parametrize("name", ["buy.py", slow("buy_async.py")])
def test_an_example_that_fails_says_what_to_do_without_a_traceback(
    name: str, space: str, execute: Execute
) -> None:
    settings = dict(zip(VARIABLES, (PROJECT, "token", space), strict=True))
    code = (ROOT / "examples" / name).read_text("utf-8")
    ended = execute(code, "+15551234567", environment=settings)
    said = (ended.out + ended.err).splitlines()
    if space:
        assert "no connection to http://127.0.0.1:9" in said[0]
        assert said[1] == "Nothing was carried out, so it is safe to call again."
    else:
        assert said == ["host is missing: pass host= to the client, or set SIGNALWIRE_SPACE."]
    assert "Traceback" not in ended.out + ended.err
    assert ended.status == (name == "buy.py" or not space)


def test_the_first_example_shows_a_purchase_and_a_failure(execute: Execute) -> None:
    assert README.read_text("utf-8").index(PYTHON[0]) < 1_500
    bought, refused, advice = execute(PYTHON[0], environment={}).out.splitlines()
    assert re.fullmatch(r"bought \S+ \+1512\d{7} True", bought)
    assert refused.startswith("422 4001 funds phone_numbers.purchase(PhoneNumber='+15550004001')")
    assert advice == "Add funds to the account, then call again."


def test_the_demo_finds_buys_lists_and_releases_a_number(execute: Execute) -> None:
    printed = execute((ROOT / "examples" / "demo.py").read_text("utf-8"), environment={}).out
    (number, *_) = re.findall(r"\+(1512\d{7}) in AUSTIN, TX", printed)
    assert f"PhoneNumber=%2B{number}&FriendlyName=Main+Line" in printed
    assert f"phone_number = '+{number}'" in printed
    assert "UnprocessableEntityError" in printed
    assert "purchases charged: 1" in printed
    assert f"+{number} 'Support'" in printed
    assert "code 22121" in printed
    assert printed.endswith("numbers left: 0\n")
    assert DEFAULT_TOKEN not in printed


def test_the_tests_among_the_examples_pass_as_a_user_runs_them(tmp_path: Path) -> None:
    # With no plugin but the mock's, as a user has it.
    command = ["-m", "pytest", "-q", "-c", "/dev/null", "-p", "signalwire_compat_mock.plugin"]
    path = ROOT / "examples" / "test_my_code.py"
    result = run(sys.executable, *command, path, cwd=tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "3 passed" in result.stdout, result.stdout


def test_the_blocks_of_the_readme_are_examples_but_for_the_provider_s_which_runs(
    mock: MockServer, execute: Execute
) -> None:
    files = {path.read_text("utf-8").partition('"""\n\n')[2] for path in EXAMPLES}
    (code,) = (code for code in PYTHON if code not in files)
    assert "your-project-id" in code
    assert execute(filled(code, mock), environment=mock.environment).out


def test_three_variables_lead_an_example_to_another_service(mock: MockServer) -> None:
    script = filled(SETTINGS, mock).replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    assert re.findall(r"^export (\w+)=", script, re.MULTILINE) == list(mock.environment)
    result = run("sh", "-eu", "-c", script)
    (number,) = mock.phone_numbers()
    said = f"\n{number['phone_number']} is yours: {number['sid']}\n"
    assert result.stdout.endswith(said), result.stderr


def test_the_guide_shows_the_examples_of_buying_as_they_are() -> None:
    for path in (ROOT / "examples").glob("buy*.py"):
        code = path.read_text("utf-8").partition('"""\n\n')[2]
        assert code in blocks(GUIDE, "python"), path.name


@pytest.mark.parametrize("line", SHELL)
def test_every_command_of_the_readme_and_the_guide_exists(line: str, tmp_path: Path) -> None:
    if line.startswith("make "):
        target = line.split()[1]
        makefile = (ROOT / "Makefile").read_text("utf-8")
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)
    elif line.startswith(".venv/bin/"):
        typed = line.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        typed = re.sub(r"\w+\.jsonl", lambda found: str(tmp_path / found[0]), typed)
        result = run(*typed.split())
        # Of the numbers in the file one is never for sale.
        is_refused = "numbers.csv" in line and "--dry-run" not in line
        assert result.returncode == is_refused, result.stderr
    else:
        assert line == "pip install . './mock_server[pytest]'"


def test_every_target_of_the_makefile_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", "")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    assert sorted(phony.split()) == sorted(explained)


def test_the_page_about_the_mock_lists_its_reserved_numbers() -> None:
    page = (ROOT / "mock_server" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\+1555\d+)` \| (\d+) \| (\d+) \| (.+) \|$", page, re.MULTILINE)
    expected = [
        (entry.phone_number, str(entry.status), str(entry.code), entry.when)
        for entry in MockServer().reserved_numbers()
    ]
    assert rows == expected


def test_the_page_about_errors_is_true(contract: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    names = [name for name in signalwire_compat.__all__ if name.endswith("Error")]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+)", page, re.MULTILINE)
    assert sorted(name for name, _ in rows if name.endswith("Error")) == sorted(
        set(names) - {"SignalWireError"}
    )
    categories = contract["components"]["schemas"]["Error"]["x-error-categories"]
    advice = {name: text.strip() for name, text in rows if name in categories}
    assert advice == {name: category["advice"] for name, category in categories.items()}
    for status, own in categories["input"]["by-status"].items():
        assert f"{status}: {own}" in page.replace("\n", " ")
    listed = page.partition("## What an exception carries\n")[2].partition("`__cause__`")[0]
    carried = {*vars(SignalWireError()), "body", "looks", "request_id", "sid"}
    assert set(re.findall(r"`(\w+)`", listed)) == carried
