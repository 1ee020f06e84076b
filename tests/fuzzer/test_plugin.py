"""The fixture `contract_fuzz`, as a test of another team asks for it."""

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import run

from .conftest import HERE, Shop
from .shop import AUTH

FUZZES = """
import os


def test_the_shop_keeps_its_contract(contract_fuzz) -> None:
    url, auth = os.environ["SHOP"], os.environ["AUTH"]
    include = ["id=listPrices", "id=getOrder"]
    contract_fuzz(url=url, auth=auth, include=include, seconds=0, examples=4)
"""


@pytest.mark.parametrize(
    ("bugs", "says"),
    [
        pytest.param((), "1 passed", marks=pytest.mark.slow),
        (("wrong type",), '"100" is not of type "integer"(.|\n)*1 failed'),
    ],
    ids=["good", "bad"],
)
def test_the_fixture_fails_a_test_with_what_the_command_printed(
    shop: Shop, tmp_path: Path, bugs: tuple[str, ...], says: str
) -> None:
    (tmp_path / "openapi.yaml").write_bytes((HERE / "shop.yaml").read_bytes())
    (tmp_path / "test_mine.py").write_text(FUZZES, "utf-8")
    command = (sys.executable, "-m", "pytest", "-q", "test_mine.py")
    done = run(*command, cwd=tmp_path, SHOP=shop(*bugs), AUTH=AUTH)
    assert re.search(says, done.stdout), done.stdout
    assert done.returncode == bool(bugs)
    assert AUTH not in done.stdout
