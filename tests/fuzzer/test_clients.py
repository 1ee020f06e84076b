"""The command drives a client of another document, against its mock and against a server."""

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, run

from .conftest import HERE, Fuzz, Shop
from .shop import AUTH

pytestmark = pytest.mark.slow
NAMES = """\
names: {client: ShopClient, namespace: shop, error: ShopError, credentials: {key_username: user}}
"""
FEW = ("--client", "shop_client", "--seconds", "0", "--examples", "20")


@pytest.fixture
def client(tmp_path: Path, fuzz: Fuzz) -> Path:
    """Generate the client of the shop, with names of its own, and name the document beside it."""
    spec, config = tmp_path / "openapi.yaml", tmp_path / "names.yml"
    usual = (ROOT / "generator-config.yml").read_text("utf-8")
    config.write_text(re.sub(r"names:\n( .*\n)+", NAMES, usual), "utf-8")
    files = ("--spec", spec, "--config", config, "--output", tmp_path / "shop_client")
    run(sys.executable, "-m", "codegen.generate", *files).check_returncode()
    return spec


def test_a_generated_client_passes_against_the_mock_of_its_document(
    client: Path, fuzz: Fuzz
) -> None:
    done = fuzz(*FEW)
    assert done.returncode == 0, done.stdout
    assert "covered: 3/3 operations, 3/3 parameters, 18/18 keywords" in done.stdout
    assert "left out" not in done.stdout


def test_make_fuzz_takes_a_document_whose_client_has_other_credentials_and_arguments() -> None:
    spec = f"SPEC={HERE / 'library.yaml'}"
    done = run("make", "fuzz", spec, cwd=ROOT, FUZZ_EXAMPLES="20", FUZZ_SECONDS="0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "covered: 3/3 operations, 7/7 parameters, 13/13 keywords" in done.stdout
    assert "4/4 responses" in done.stdout
    assert "left out" not in done.stdout


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_reply_with_nulls_and_with_dates_in_any_notation_is_told_by_a_client_as_it_is(
    fuzz: Fuzz, tmp_path: Path, version: str
) -> None:
    text, spec = (HERE / "library.yaml").read_text("utf-8"), tmp_path / "library.yaml"
    if version == "3.0.3":
        text = re.sub(r'anyOf: \[\{(.*?)\}, \{type: "null"\}\]', r"\1, nullable: true", text)
        text = text.replace('{type: "null"}', "{type: integer, nullable: true}")
        text = text.replace("3.1.0", version)
    spec.write_text(text, "utf-8")
    files = ("--spec", spec, "--output", tmp_path / "library_client")
    run(sys.executable, "-m", "codegen.generate", *files).check_returncode()
    options = ("--spec", str(spec), "--client", "library_client", "--seconds", "0")
    some = ("--only", "test_a_reply_with_one_odd_member", "--include", "id=makeLoan")
    done = fuzz(*options, *some, "--examples", "100")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_that_differs_from_the_document_is_told_in_few_lines_without_credentials(
    client: Path, fuzz: Fuzz, tmp_path: Path
) -> None:
    text = client.read_text("utf-8")
    client.write_text(text.replace("maxLength: 100", "maxLength: 110"), "utf-8")
    some = ("--only", "meant and valid_1", "--include", "id=createOrder", "--auth", AUTH)
    done = fuzz(*FEW, *some, "--known", "known", "--learn")
    assert done.returncode == 1
    told = done.stdout.partition("FAILURES")[2].partition("covered:")[0].splitlines()
    assert len(told) <= 14, told
    wrong = "note must be text of 0 to 100 characters"
    assert wrong in "\n".join(told)
    assert "secret" not in done.stdout + (tmp_path / "reports" / "fuzz.html").read_text("utf-8")
    replay = re.search("to replay it:\n  signalwire-compat-fuzz (.*--only) '(.*)'\n", done.stdout)
    assert replay
    assert wrong in fuzz(*replay[1].split(), replay[2]).stdout
    assert fuzz(*FEW, *some, "--known", "known").returncode == 0


@pytest.mark.parametrize(("bugs", "status"), [((), 0), (("wrong type",), 1)], ids=str)
def test_what_the_client_sends_and_returns_is_compared_with_what_a_server_got_and_said(
    client: Path, fuzz: Fuzz, shop: Shop, bugs: tuple[str, ...], status: int
) -> None:
    options = ("--url", shop(*bugs), "--auth", AUTH, "--only", "test_client and odd_member")
    done = fuzz(*FEW, *options, "--include", "id=listPrices")
    assert done.returncode == status, done.stdout
    # The first summary is that of the server's own run, the second that of the client's.
    told = done.stdout.partition("covered: 1/1")[2].partition("covered: 1/1")[0]
    assert ("test_a_case_with_one_odd_member" in told.partition("FAILURES")[2]) == bool(bugs)


def test_a_run_ends_within_its_time_and_says_what_it_left_out(client: Path, fuzz: Fuzz) -> None:
    for seconds in (1, 10, 40, 160, 640):  # It fails if no case was tried: pytest must have begun.
        options = ("--seconds", str(seconds), "--examples", "100000")
        done = fuzz("--client", "shop_client", *options)
        assert "left out: test_a_valid_case_reaches_the_server_as_it_was_meant" in done.stdout
        assert done.returncode == 2 * ("fuzz: 0 cases" in done.stdout), done.stdout
        if done.returncode == 0:
            break
    assert done.returncode == 0


def test_a_run_whose_expression_matches_no_test_fails(client: Path, fuzz: Fuzz) -> None:
    done = fuzz(*FEW, "--only", "no_such_test")
    assert (done.returncode, "Not one case of the client was tried." in done.stderr) == (2, True)
