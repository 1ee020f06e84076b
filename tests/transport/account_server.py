"""A server that sells numbers and lists what an account has, and fails at both at random.

What it does about a number is drawn from the seed and the number alone. It keeps what was executed
and what it showed, so that a test can tell what a client should know.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.transport.fault_server import FaultServer, Peer, contract_example
from tests.transport.faults.scripts import failure, http, plain

Item = dict[str, Any]
# What the plan of a number can name. A reply that is complete is in ANSWERED.
ANSWERED = ("healthy", "slow", "declined")
PURCHASES = (
    *(*ANSWERED, "refused", "lost", "lost-after", "late", "late", "held", "cut-off", "error"),
    *("error-after", "wrong-body", "too-slow", "had-before"),
)
LOOKS = (
    *("lost", "error", "limited", "cut-off", "slow", "stalled", "unreadable", "circle"),
    *("second-page", "second-page", "elsewhere", "forbidden"),
)
UNREADABLE = ("", "[]", "{}", '{"incoming_phone_numbers": null}', "<html>", "null")


class Record:
    """What the server did about one number.

    Attributes:
        purchase: What happens to a purchase.
        looks: What happens to the first looks, in order. Those after them work.
        executed: The SIDs that were bought, more than one if it was bought twice.
        seen_at: When the last request for it came.
        item: What the list shows once the account has it.
        listed: Whether any list had it, complete or not.
        showed: How many complete answers had it.
        showed_without: How many complete answers did not have it.
    """

    def __init__(self, number: str, seed: int, *, may_be_old: bool) -> None:
        self.number = number
        self.chance = Random(f"{seed} {number}")
        self.purchase = self.chance.choice(PURCHASES[: None if may_be_old else -1])
        self.looks = self.chance.choices(LOOKS, k=self.chance.choice((0, 0, 0, 1, 2, 4)))
        self.requests = self.showed = self.showed_without = 0
        self.listed = False
        self.executed: list[str] = []
        self.seen_at = datetime.now(UTC)
        self.item: Item | None = None


class Walk(NamedTuple):
    """The pages of one answer."""

    record: Record
    fault: str
    is_there: bool
    pages: list[list[Item]]


class AccountServer(FaultServer):
    """Sells a number each time it is asked to, unless the account had it before.

    Args:
        seed: With a number it says what happens to it.
        may_be_old: Whether the account may have had a number before.
        latest: The longest time in seconds that a late purchase takes.
    """

    def __init__(self, seed: int, *, may_be_old: bool = True, latest: float = 1.8) -> None:
        super().__init__()
        self._seed = seed
        self._may_be_old = may_be_old
        self._latest = latest
        self.records: dict[str, Record] = {}
        self._account: dict[str, Item] = {}
        self._walks: dict[str, Walk] = {}
        self._counter = itertools.count(1)
        # The clock of the server is wrong, and those of its parts differ.
        self._clock = timedelta(seconds=Random(seed).uniform(-5000, 5000))
        self.on_moment: Callable[[], None] = lambda: None
        self.play((self._answer,))

    def _answer(self, peer: Peer) -> None:
        peer.read_request()
        self.on_moment()
        target = urlsplit(peer.head.split(b" ", 2)[1].decode())
        if peer.head.startswith(b"POST"):
            self._sell(peer, self._record(peer.number))
        else:
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            self._list(peer, query)

    def _record(self, number: str) -> Record:
        with self._changed:
            if number not in self.records:
                record = Record(number, self._seed, may_be_old=self._may_be_old)
                self.records[number] = record
                if record.purchase == "had-before":
                    age = record.chance.choice((60, 3600, 10**8))
                    self._account[number] = self._item(number, age)
            return self.records[number]

    def _item(self, number: str, age: float = 0) -> Item:
        number_of_item = next(self._counter)
        created = datetime.now(UTC) + self._clock - timedelta(seconds=age - number_of_item % 5 + 2)
        date = format_datetime(created)
        if number_of_item % 3 == 0:
            date = f"{created:%a, %d %B %Y %H:%M:%S +0000}"
        sid = f"PN-{number_of_item}"
        return {**contract_example(), "phone_number": number, "sid": sid, "date_created": date}

    # Purchases

    def _sell(self, peer: Peer, record: Record) -> None:
        record.requests += 1
        record.seen_at = datetime.now(UTC)
        if record.purchase == "declined" and record.requests == 1:
            self._send(peer, failure(429, {}, "Retry-After: 0"))
        elif record.purchase in ("refused", "had-before"):
            self._refuse(peer, record)
        elif record.purchase in ("late", "held"):
            if record.purchase == "late":
                peer.connection.close()
            peer.pause(record.chance.uniform(0.05, self._latest))
            self._execute(record)
        elif record.purchase == "lost":
            self._hang_up(peer, record)
        elif record.purchase == "error":
            self._fail(peer, record)
        else:
            self._execute(record)
            self.on_moment()
            self._answer_purchase(peer, record)

    def _refuse(self, peer: Peer, record: Record) -> None:
        if record.purchase == "refused" or record.chance.random() < 0.2:
            self._send(peer, failure(422))
        else:
            self._hang_up(peer, record)

    def _answer_purchase(self, peer: Peer, record: Record) -> None:
        receipt = http(201, plain(json.dumps(record.item)))(peer)
        if record.purchase == "lost-after":
            self._hang_up(peer, record)
        elif record.purchase == "cut-off":
            peer.send(receipt[: record.chance.randrange(len(receipt) - 2)])
        elif record.purchase == "error-after":
            self._fail(peer, record)
        elif record.purchase == "wrong-body":
            other = json.dumps({**(record.item or {}), "phone_number": "+15559999999"})
            body = record.chance.choice((*UNREADABLE, other))
            self._send(peer, http(201, plain(body)))
        elif record.purchase == "too-slow":
            peer.drip(receipt, 0.2, len(receipt) // 8)
        elif record.purchase == "slow":
            peer.drip(receipt, 0.02, len(receipt) // 4 + 1)
            peer.keep()
        else:
            self._send(peer, http(201, plain(json.dumps(record.item))))
            self.on_moment()

    def _execute(self, record: Record) -> None:
        self.buy(record.number)
        with self._changed:
            item = self._item(record.number)
            record.executed.append(item["sid"])
            if record.item is None:
                record.item = self._account[record.number] = item

    # Lists

    def _list(self, peer: Peer, query: dict[str, str]) -> None:
        token = query.get("PageToken")
        if token is None:
            token, page = f"{next(self._counter)}", 0
            with self._changed:
                self._walks[token] = self._walk(self._record(query["PhoneNumber"]))
        else:
            token, _, place = token.partition("-")
            page = int(place)
        walk = self._walks[token]
        fault = walk.fault
        if fault == "second-page":
            fault = (
                walk.record.chance.choice(("lost", "error", "cut-off", "stalled")) if page else ""
            )
        if fault in ("", "slow"):
            peer.pause(0.15 if fault else 0)
            self._show(peer, walk, page, f"PhoneNumber=any&PageToken={token}-{page + 1}")
        elif fault == "circle":
            self._show(peer, walk, page, urlsplit(peer.head.split(b" ", 2)[1].decode()).query)
        elif fault == "elsewhere":
            self._show(peer, walk, page, "", "http://127.0.0.2")
        else:
            self._break(peer, walk, fault)

    def _walk(self, record: Record) -> Walk:
        """Make the pages of an answer: what was asked for, what is like it, and others."""
        chance = record.chance
        fault = record.looks.pop(0) if record.looks else ""
        number, own = record.number, self._account.get(record.number)
        near = (f"{number}0", f"{number[:-1]}", f"+2{number[1:]}", f"+1{number[1:]}")
        items = [self._item(like) for like in near if chance.random() < 0.5]
        items += list(self._account.values())[-10:] if chance.random() < 0.3 else []
        items = [item for item in items if item["phone_number"] != number]
        chance.shuffle(items)
        if own:
            items.insert(chance.choice((0, len(items), len(items))), own)
        count = 2 if fault == "second-page" else chance.choice((1, 1, 1, 2, 3))
        size = max(1, -(-len(items) // count))
        pages = [items[start : start + size] for start in range(0, len(items), size)]
        if fault == "second-page":
            # The number is on the page that does not come.
            pages = [[item for item in items if item is not own], [own] if own else []]
        return Walk(record, fault, own is not None, pages or [[]])

    def _show(self, peer: Peer, walk: Walk, page: int, after: str, host: str = "") -> None:
        items = walk.pages[page]
        is_last = page + 1 == len(walk.pages) and walk.fault in ("", "slow")
        path = urlsplit(peer.head.split(b" ", 2)[1].decode()).path
        if is_last:
            with self._changed:
                walk.record.showed += walk.is_there
                walk.record.showed_without += not walk.is_there
        if walk.fault in ("circle", "elsewhere"):
            items = [item for item in items if item["phone_number"] != walk.record.number]
        members = {
            **{"uri": path, "first_page_uri": path, "previous_page_uri": None},
            **{"page": page, "page_size": 50, "incoming_phone_numbers": items},
            "next_page_uri": None if is_last else f"{host}{path}?{after}",
        }
        walk.record.listed |= any(item["phone_number"] == walk.record.number for item in items)
        self._send(peer, http(200, plain(json.dumps(members)), f"Date: {self._date()}"))

    def _break(self, peer: Peer, walk: Walk, fault: str) -> None:
        record = walk.record
        if fault == "lost":
            self._hang_up(peer, record)
        elif fault == "error":
            self._fail(peer, record)
        elif fault == "limited":
            self._send(peer, failure(429, {}))
        elif fault == "forbidden":
            self._send(peer, failure(403, {}))
        elif fault == "stalled":
            peer.stall()
        elif fault == "cut-off":
            page = http(
                200, plain('{"next_page_uri": null, "incoming_phone_numbers": [], "page": 1}')
            )
            content = page(peer)
            peer.send(content[: record.chance.randrange(len(content) - 2)])
        else:
            body = record.chance.choice((*UNREADABLE, '{"incoming_phone_numbers": [null]}'))
            self._send(peer, http(200, plain(body)))

    # Either

    def _date(self) -> str:
        return format_datetime(datetime.now(UTC) + self._clock, usegmt=True)

    def _send(self, peer: Peer, text: Callable[[Peer], bytes]) -> None:
        peer.send(text(peer))
        peer.keep()

    def _hang_up(self, peer: Peer, record: Record) -> None:
        if record.chance.random() < 0.5:
            peer.reset()

    def _fail(self, peer: Peer, record: Record) -> None:
        body = record.chance.choice(("", "<html>", '{"code": 1, "message": "down"}'))
        status = record.chance.choice((500, 502, 503, 504, 520))
        self._send(peer, http(status, plain(body)))
