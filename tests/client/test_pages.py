"""Pages of a list: all items of all pages, one request at a time and only when it is needed."""

import asyncio
import copy
import gc
import json
import pickle
from collections.abc import Callable
from itertools import islice
from typing import Any

import httpx
import pytest
from signalwire_compat import (
    APIResponseError,
    AsyncRestClient,
    BadRequestError,
    InvalidRequestError,
    RestClient,
    UnprocessableEntityError,
)
from signalwire_compat.models import IncomingPhoneNumber
from signalwire_compat_mock import MockServer

from tests.client.conftest import TOKEN
from tests.conftest import PROJECT, page_reply

SUBPROJECT = "0d6f1c44-7e3b-4c7e-9d55-3a4f8f0f6a10"
BASE = "/api/laml/2010-04-01"
LIST = f"/Accounts/{PROJECT}/IncomingPhoneNumbers"
Next = Callable[[int], Any]


class Book:
    """A service that lists `count` numbers in pages of `size`; `next_uri` writes the next URI.

    A page is asked for by the query of the one before, or it is refused.
    """

    def __init__(self, count: int, size: int, next_uri: Next | None = None) -> None:
        self.count, self.size = count, size
        self.next_uri = next_uri or (lambda page: f"{BASE}{LIST}?{self.query(page)}")
        self.requests: list[httpx.Request] = []
        self.item = json.dumps(page_reply(sid="PN-?"))
        self.transport = httpx.MockTransport(self.answer)

    def query(self, page: int) -> str:
        return f"Page={page}&PageSize={self.size}&PageToken=PA%2b{page}" if page else ""

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert len(self.requests) < 100
        query = request.url.query.decode()
        page = int(request.url.params.get("PageToken", "PA+0").removeprefix("PA+"))
        if page and query != self.query(page):
            error = {"code": 54453, "message": query, "more_info": "", "status": 400}
            return httpx.Response(400, json=error)
        start, stop = page * self.size, min((page + 1) * self.size, self.count)
        last = self.next_uri(page + 1) is None or stop == self.count
        members = {
            "uri": f"{BASE}{LIST}?{query}",
            "first_page_uri": f"{BASE}{LIST}",
            "next_page_uri": None if last else self.next_uri(page + 1),
            "previous_page_uri": None,
            "page": page,
            "page_size": self.size,
        }
        items = ",".join(self.item.replace("?", str(n)) for n in range(start, stop))
        body = f'{json.dumps(members)[:-1]}, "incoming_phone_numbers": [{items}]}}'
        return httpx.Response(200, content=body)

    def client(self) -> RestClient:
        http_client = httpx.Client(transport=self.transport)
        return RestClient(PROJECT, TOKEN, "localhost", http_client=http_client)

    def async_client(self) -> AsyncRestClient:
        http_client = httpx.AsyncClient(transport=self.transport)
        return AsyncRestClient(PROJECT, TOKEN, "localhost", http_client=http_client)


def sids(*numbers: int) -> list[str]:
    return [f"PN-{number}" for number in numbers]


def test_iterating_a_page_walks_all_pages_and_asks_for_each_when_it_is_needed() -> None:
    book = Book(count=14, size=3)
    page = book.client().compat.phone_numbers.list(PageSize=3)
    walk = iter(page)
    found = []
    for number in range(14):
        item = next(walk)
        assert isinstance(item, IncomingPhoneNumber)
        found.append(item.sid)
        assert len(book.requests) == number // 3 + 1
    assert next(walk, None) is None
    assert found == sids(*range(14))
    assert len(book.requests) == 5


def test_the_async_client_walks_all_pages_one_request_at_a_time() -> None:
    book = Book(count=14, size=3)

    async def walk() -> list[tuple[str, int]]:
        async with book.async_client() as client:
            page = await client.compat.phone_numbers.list(PageSize=3)
            return [(number.sid, len(book.requests)) async for number in page]

    found = asyncio.run(walk())
    assert found == [(sid, n // 3 + 1) for n, sid in enumerate(sids(*range(14)))]
    assert len(book.requests) == 5


def test_a_walk_that_ends_early_asks_for_nothing_more() -> None:
    book = Book(count=14, size=3)
    page = book.client().compat.phone_numbers.list()
    assert [number.sid for number in islice(page, 3)] == sids(0, 1, 2)
    assert len(book.requests) == 1

    async def first() -> str:
        async for number in await book.async_client().compat.phone_numbers.list():
            return number.sid
        return ""

    assert asyncio.run(first()) == "PN-0"
    assert len(book.requests) == 2


def test_next_page_gives_one_page_after_the_other_and_then_none() -> None:
    book = Book(count=7, size=3)
    page = book.client().compat.phone_numbers.list(PageSize=3)
    pages = [page]
    while (after := pages[-1].next_page()) is not None:
        pages.append(after)
    assert [page.page for page in pages] == [0, 1, 2]
    assert [len(page.incoming_phone_numbers) for page in pages] == [3, 3, 1]
    assert [number.sid for number in pages[1]] == sids(3, 4, 5, 6)
    assert type(pages[1]) is type(page)
    assert pages[0].next_page() == pages[1]

    async def pages_async() -> list[int]:
        async with book.async_client() as client:
            page = await client.compat.phone_numbers.list(PageSize=3)
            found = [page.page]
            while (after := await page.next_page()) is not None:
                page = after
                found.append(page.page)
            return found

    assert asyncio.run(pages_async()) == [0, 1, 2]


def test_a_page_can_be_walked_again() -> None:
    book = Book(count=5, size=2)
    page = book.client().compat.phone_numbers.list()
    assert [number.sid for number in page] == [number.sid for number in page] == sids(*range(5))
    assert len(book.requests) == 5


def test_every_page_is_asked_for_with_the_query_of_the_page_before_and_nothing_else() -> None:
    book = Book(count=5, size=2)
    client = book.client().with_account(SUBPROJECT).with_headers({"X-Trace": "a"})
    first, *later = _asked(client, book)
    assert first == f"{BASE}{LIST}?PageSize=2&FriendlyName=a+b".replace(PROJECT, SUBPROJECT)
    assert later == [
        f"{BASE}{LIST}?{book.query(page)}".replace(PROJECT, SUBPROJECT) for page in (1, 2)
    ]
    for request in book.requests:
        assert request.headers["x-trace"] == "a"
        assert request.headers["authorization"] == book.requests[0].headers["authorization"]


def _asked(client: RestClient, book: Book) -> list[str]:
    book.next_uri = lambda page: f"{BASE}{LIST}?{book.query(page)}".replace(PROJECT, SUBPROJECT)
    assert len(list(client.compat.phone_numbers.list(PageSize=2, FriendlyName="a b"))) == 5
    return [request.url.raw_path.decode() for request in book.requests]


@pytest.mark.parametrize(
    "uri",
    [
        f"{BASE}{LIST}?{{}}",
        f"{BASE}{LIST}.json?{{}}",
        f"{LIST}?{{}}",
    ],
)
def test_the_next_uri_may_be_written_in_the_ways_of_the_provider(uri: str) -> None:
    book = Book(5, 2, lambda page: uri.format(book.query(page)))
    assert [number.sid for number in book.client().compat.phone_numbers.list()] == sids(*range(5))
    assert {request.url.path for request in book.requests} == {f"{BASE}{LIST}"}


STRAY = [
    f"elsewhere:{BASE}{LIST}?Page=1",
    f"https://elsewhere.example{BASE}{LIST}?Page=1",
    f"http://localhost{BASE}{LIST}?Page=1",
    f"//elsewhere.example{BASE}{LIST}?Page=1",
    f"{BASE}/Accounts/{SUBPROJECT}/IncomingPhoneNumbers?Page=1",
    f"{BASE}/Accounts/{PROJECT}/Applications?Page=1",
    f"{BASE}{LIST}/PN-1?Page=1",
    f"\\\\elsewhere.example{BASE}?Page=1",
    f"http://[elsewhere{BASE}{LIST}?Page=1",
    f"/{TOKEN}\n{'long ' * 1_000}",
    "",
    7,
    ["a"],
]


@pytest.mark.parametrize("uri", STRAY)
def test_a_next_uri_that_leads_elsewhere_is_not_followed(uri: Any) -> None:
    book = Book(5, 2, lambda _: uri)
    found: list[str] = []
    with pytest.raises(APIResponseError, match="next_page_uri must be a path that ends") as caught:
        found.extend(number.sid for number in book.client().compat.phone_numbers.list())
    assert found == sids(0, 1)
    assert not caught.value.outcome_unknown
    assert caught.value.operation == "phone_numbers.list"
    assert TOKEN not in f"{caught.value!r} {vars(caught.value)}"
    assert len(str(caught.value).splitlines()[0]) == len(str(caught.value)) < 400
    assert len(book.requests) == 1


CIRCLES: dict[str, list[int]] = {
    "to-itself": [1, 1],
    "to-the-first": [1, 2, 0],
    "to-one-before": [1, 2, 3, 2],
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_circle_of_pages_ends_in_an_error_after_the_items_before_it(circle: str) -> None:
    ways = CIRCLES[circle]
    book = Book(50, 2, lambda page: f"{BASE}{LIST}?{book.query(ways[page - 1])}")
    walk = _sync_walk if circle != "to-the-first" else _async_walk
    found, error = walk(book)
    assert found == sids(*range(2 * len(ways)))
    assert "next_page_uri leads back to an earlier page" in str(error)
    assert len(book.requests) == len(ways)


def _sync_walk(book: Book) -> tuple[list[str], APIResponseError]:
    found: list[str] = []
    with pytest.raises(APIResponseError) as caught:
        found.extend(number.sid for number in book.client().compat.phone_numbers.list())
    return found, caught.value


def _async_walk(book: Book) -> tuple[list[str], APIResponseError]:
    found: list[str] = []

    async def walk() -> None:
        async for number in await book.async_client().compat.phone_numbers.list():
            found.append(number.sid)

    with pytest.raises(APIResponseError) as caught:
        asyncio.run(walk())
    return found, caught.value


def test_a_reply_without_a_next_uri_is_the_last_page() -> None:
    members: dict[str, Any] = {"incoming_phone_numbers": [page_reply(sid="PN-0")]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=members))
    with httpx.Client(transport=transport) as http_client:
        client = RestClient(PROJECT, TOKEN, "localhost", http_client=http_client)
        page = client.compat.phone_numbers.list()
        assert page.next_page_uri is None
        assert page.next_page() is None
        assert [number.sid for number in page] == ["PN-0"]


@pytest.mark.parametrize("items", [None, {}, "", "PN-0"])
def test_a_page_whose_items_are_no_list_is_an_error_of_the_package(items: Any) -> None:
    members: dict[str, Any] = {"incoming_phone_numbers": items}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=members))
    with httpx.Client(transport=transport) as http_client:
        client = RestClient(PROJECT, TOKEN, "localhost", http_client=http_client)
        page = client.compat.phone_numbers.list()
        with pytest.raises(APIResponseError, match="incoming_phone_numbers must be a list, got"):
            list(page)


def test_an_empty_page_before_the_last_does_not_end_the_walk() -> None:
    pages = [[1], [], [2]]
    replies = [
        {
            "next_page_uri": f"{BASE}{LIST}?Page={n + 1}" if n < 2 else None,
            "incoming_phone_numbers": [page_reply(sid=f"PN-{number}") for number in numbers],
        }
        for n, numbers in enumerate(pages)
    ]
    answers = iter(replies)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=next(answers)))
    with httpx.Client(transport=transport) as http_client:
        client = RestClient(PROJECT, TOKEN, "localhost", http_client=http_client)
        assert [number.sid for number in client.compat.phone_numbers.list()] == sids(1, 2)


def test_a_page_that_is_refused_ends_the_walk_with_its_error() -> None:
    book = Book(5, 2)
    page = book.client().compat.phone_numbers.list()
    book.size = 3
    with pytest.raises(BadRequestError) as caught:
        list(page)
    assert caught.value.code == 54453


def test_the_mock_gives_real_pages(client: RestClient, mock: MockServer) -> None:
    numbers = client.compat.phone_numbers
    bought = [numbers.purchase(PhoneNumber=f"+1555123{n:04}").sid for n in range(7)]
    assert [number.sid for number in numbers.list(PageSize=3)] == bought
    assert [exchange.operation_id for exchange in mock.journal[7:]] == ["list"] * 3
    with pytest.raises((BadRequestError, UnprocessableEntityError)) as caught:
        numbers.list(Page=1, PageSize=3)
    assert caught.value.code == 54453


def pickled(page: Any) -> Any:
    return pickle.loads(pickle.dumps(page))  # noqa: S301  # our own


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_a_page_has_its_items_and_no_way_to_the_next(copied: Any) -> None:
    book = Book(5, 2)
    page = book.client().compat.phone_numbers.list()
    twin = copied(page)
    assert twin == page
    assert TOKEN not in repr(twin) + repr(page)
    with pytest.raises(InvalidRequestError, match="a copy of a page has no client"):
        twin.next_page()
    assert len(book.requests) == 1
    assert len(list(page)) == 5


class MeasuredBook(Book):
    """Keeps no requests, but how many objects are alive when a page is asked for."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__(count, size)
        self.alive: list[int] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.clear()
        gc.collect()
        self.alive.append(len(gc.get_objects()))
        return super().answer(request)


@pytest.mark.parametrize(
    ("count", "size"),
    [(1_000, 50), pytest.param(100_000, 1_000, marks=pytest.mark.slow)],
)
def test_many_numbers_take_the_memory_of_a_few_pages(count: int, size: int) -> None:
    book = MeasuredBook(count, size)
    page = book.client().compat.phone_numbers.list()
    before = book.alive.pop()
    assert sum(1 for _ in page) == count
    assert len(book.alive) == count // size - 1
    a_page = book.alive[0] - before
    assert max(book.alive) - before < 3 * a_page
