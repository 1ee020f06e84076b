"""What the mock remembers: who owns an account, the numbers of each one, charges, and the time."""

import copy
import itertools
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .contract import CREDENTIALS
from .request_checks import Refusal

_FARTHEST = timedelta(days=36_500)


@dataclass
class Number:
    """A number of an account, as the API returns it in `record`.

    `account_sid` is in lower case. `record` is replaced, never changed. `place` grows with each
    number that is added. `bought` is in UTC, and None for a number that was imported.
    """

    sid: str
    phone_number: str
    account_sid: str
    record: dict[str, Any]
    place: int
    bought: datetime | None


class State:
    """Accounts, their numbers and charges, and a clock. Safe to use from several threads.

    Assumed: any UUID is a project, and the first project that uses an account owns it.
    `allow_import` says whether numbers of other providers can be imported.
    """

    def __init__(self, *, allow_import: bool = False) -> None:
        """Start without accounts and numbers, at the present time."""
        self.allow_import = allow_import
        self._lock = threading.RLock()
        self._places = itertools.count(1)
        self._owners: dict[str, str] = {}
        self._numbers: dict[str, Number] = {}
        self._sold: set[str] = set()
        self._charges: Counter[str] = Counter()
        self._records: dict[str, dict[str, dict[str, Any]]] = {}
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the time of the mock, in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, step: timedelta) -> None:
        """Move the clock ahead. Errors: `OverflowError` if it goes back, or too far in all."""
        with self._lock:
            ahead = self._ahead + step
            if not self._ahead <= ahead <= _FARTHEST:
                raise OverflowError(ahead)
            self._ahead = ahead

    def owner(self, account_sid: str) -> str | None:
        """Return the project that owns an account, or None for an account that nobody used."""
        return self._owners.get(account_sid.lower())

    def claim(self, account_sid: str, project: str) -> None:
        """Assign an account to a project. Errors: `Refusal` 20003 if another project owns it."""
        if self._owners.setdefault(account_sid.lower(), project) != project:
            raise Refusal(CREDENTIALS, "The account belongs to another project.")

    def buy(self, account_sid: str, number: str, record: dict[str, Any]) -> bool:
        """Charge an account for a number and store its record. False if the number is sold."""
        with self._lock:
            is_new = self.add(account_sid, number, record, self.now())
            if is_new:
                self._charges[account_sid.lower()] += 1
            return is_new

    def add(
        self, account_sid: str, number: str, record: dict[str, Any], bought: datetime | None = None
    ) -> bool:
        """Store the record of a number. False if an account has the number."""
        with self._lock:
            if number in self._sold:
                return False
            self._sold.add(number)
            sid, place = str(record.get("sid", number)), next(self._places)
            self._numbers[sid] = Number(sid, number, account_sid.lower(), record, place, bought)
            return True

    def is_sold(self, number: str) -> bool:
        """Whether an account has the number."""
        return number in self._sold

    def records(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return what a handler keeps of another kind, such as "addresses", by a key of its own."""
        return self._records.setdefault(kind, {})

    def numbers(self, account_sid: str | None) -> list[Number]:
        """Return the numbers of an account, or of all, in the order in which they were added."""
        with self._lock:
            numbers = [*self._numbers.values()]
        if account_sid is None:
            return numbers
        return [number for number in numbers if number.account_sid == account_sid.lower()]

    def find(self, account_sid: str, sid: str) -> Number | None:
        """Return a number of an account; None if the account has no such number."""
        number = self._numbers.get(sid)
        return number if number and number.account_sid == account_sid.lower() else None

    def change(self, number: Number, account_sid: str, members: Mapping[str, Any]) -> None:
        """Give a number to an account, and change members of its record."""
        with self._lock:
            number.account_sid = account_sid.lower()
            number.record = {**number.record, **members}

    def release(self, number: Number) -> None:
        """Take a number away from its account; it can be bought again."""
        with self._lock:
            self._numbers.pop(number.sid, None)
            self._sold.discard(number.phone_number)

    def phone_numbers(self, account_sid: str | None) -> list[dict[str, Any]]:
        """Return the records of the same numbers as `numbers`."""
        return [copy.deepcopy(number.record) for number in self.numbers(account_sid)]

    def charges(self, account_sid: str) -> int:
        """Return how many purchases an account was charged for."""
        return self._charges[account_sid.lower()]

    def reset(self) -> None:
        """Forget everything that was kept, and go back to the present time."""
        with self._lock:
            self._owners.clear()
            self._numbers.clear()
            self._sold.clear()
            self._charges.clear()
            self._records.clear()
            self._ahead = timedelta()
