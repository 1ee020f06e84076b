"""The state of the mock: accounts, their numbers and charges."""

import copy
from typing import Any

from .contract import CREDENTIALS
from .request_checks import Refusal


class State:
    """Accounts, their numbers and charges. Safe to use from several threads.

    Assumed: any UUID is a project, and the first project that uses an account owns it.
    """

    def __init__(self) -> None:
        """Start without accounts and numbers."""
        # Threads share these: each step is one operation of a dict, which is atomic.
        self._owners: dict[str, str] = {}
        self._numbers: dict[str, tuple[str, dict[str, Any]]] = {}

    def claim(self, account_sid: str, project: str) -> None:
        """Assign an account to a project. Errors: `Refusal` 20003 if another project owns it."""
        if self._owners.setdefault(account_sid.lower(), project) != project:
            raise Refusal(CREDENTIALS, "The account belongs to another project.")

    def buy(self, account_sid: str, number: str, record: dict[str, Any]) -> bool:
        """Charge an account for a number and store its record. False if the number is sold."""
        mine = (account_sid.lower(), copy.deepcopy(record))
        return self._numbers.setdefault(number, mine) is mine

    def phone_numbers(self, account_sid: str) -> list[dict[str, Any]]:
        """Return the records of an account's numbers, in order of purchase."""
        records = list(self._numbers.values())
        return [copy.deepcopy(r) for owner, r in records if owner == account_sid.lower()]

    def charges(self, account_sid: str) -> int:
        """Return how many purchases an account was charged for."""
        return len(self.phone_numbers(account_sid))

    def reset(self) -> None:
        """Forget every account, number and charge."""
        self._owners.clear()
        self._numbers.clear()
