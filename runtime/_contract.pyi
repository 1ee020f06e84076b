"""The facts of the contract that `make generate` writes into `_contract.py`."""

from typing import TypeAlias

Category: TypeAlias = str
BASE_PATH: str
HOST: str
SERVER: str
SERVERS: tuple[str, ...]
SCHEMES: dict[str, tuple[str, str, tuple[str, ...]]]
REQUIRED: tuple[str, ...]
USER: str
USER_IS: str
VARIABLES: dict[str, str]
USER_AGENT: str
VERSION: str
ADVICE: dict[Category, str]
ADVICE_BY_STATUS: dict[tuple[Category, int], str]
CATEGORY_BY_STATUS: dict[int, Category]
CODES: dict[int, tuple[Category, str]]
CANDIDATES: dict[tuple[str, str], tuple[str, dict[str, str]]]
CAUTIONS: dict[str, str]
