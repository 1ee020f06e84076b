"""A part of run 3: the next page of a list is asked for where the list is, and nowhere else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from signalwire_compat_fuzz import console
from signalwire_compat_fuzz.canned_replies import OPERATIONS, REPLIES, answer_of
from signalwire_compat_fuzz.case_sources import Operation
from signalwire_compat_fuzz.client_calls import FACADE, PACKAGE, Caller
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.expected_error import assert_names_the_call
from signalwire_compat_fuzz.expected_reply import send
from signalwire_compat_fuzz.near_valid import first_case, valid_case

HOSTS = ("https://x.example", "http://127.0.0.1:8000")
NOT_LISTS: tuple[Any, ...] = (None, 5, "x", {})
COUNTS = (0, 2, 0, 0, 1)
"""How many items each page of a list has."""
PAGED = [found for found in OPERATIONS.values() if found.definition.raw.get("x-pages")]
each_list = pytest.mark.parametrize("operation", PAGED, ids=lambda o: o.label)


class PagedList:
    """An operation that gives pages, and a server that answers it with pages of our own."""

    def __init__(self, operation: Operation, server: MockServer, caller: Caller) -> None:
        console.current.run = "replies"
        self._server, self._caller = server, caller
        raw = operation.definition.raw
        self.case: AnyCase = valid_case(operation)
        self.path = send("sync", self.case, server, caller)[1][0].path
        self._items, self._next = raw["x-pages"]["items"], raw["x-pages"]["next"]
        key = next(key for key in raw["responses"] if key.startswith("2"))
        path = f"/{raw['operationId']}/{key}"
        found = first_case(REPLIES[path], self._has_items)
        self._answer = answer_of(found, path)

    def _has_items(self, case: AnyCase) -> bool:
        return isinstance(case.body, dict) and bool(case.body.get(self._items))

    def page(self, following: Any, count: int = 1) -> Answer:
        """Make a page with so many items, and what it says of the page after it."""
        items = json.loads(self._answer.body)[self._items][:1] * count
        return self.with_items(items, following)

    def with_items(self, items: Any, following: Any = None) -> Answer:
        body = json.loads(self._answer.body) | {self._items: items, self._next: following}
        return replace(self._answer, body=json.dumps(body).encode())

    @contextmanager
    def first_of(self, pages: list[Answer], way: str) -> Iterator[Any]:
        """Answer with one page after the other. Gives the first as the client returns it."""
        left = iter(pages)
        with console.counted(pages), self._server.answering(lambda _: next(left)):
            yield send(way, self.case, self._server, self._caller)[0].unwrap()


@each_list
def test_the_next_page_is_asked_for_only_where_the_list_is(
    operation: Operation, server: MockServer, caller: Caller
) -> None:
    listed = PagedList(operation, server, caller)
    path = listed.path
    followed = {f"{path}?a=%2B+c&b=": "a=%2B+c&b=", f"{path}.json?a=1#x": "a=1"}
    elsewhere = (path[:-1], f"{path}/x?a=1", "/x?a=1", f"//x.example{path}?a=1")
    wrong: list[Any] = ["", 5, [], *elsewhere, *(f"{host}{path}?a=1" for host in HOSTS)]
    for uri in (None, *followed, *wrong):
        sent = listed.page(uri)
        with console.counted(sent), server.answering(lambda _, sent=sent: sent):  # type: ignore[misc]
            for way in FACADE:
                page = send(way, listed.case, server, caller)[0].unwrap()
                if uri in wrong:
                    with pytest.raises(PACKAGE.APIResponseError):
                        caller.next_page(way, page)
                else:
                    assert (caller.next_page(way, page) is None) == (uri is None)
                queries = [exchange.query for exchange in server.journal[1:]]
                assert queries == [query for text, query in followed.items() if text == uri]


@each_list
@pytest.mark.parametrize("way", FACADE)
def test_a_page_is_asked_for_only_when_its_items_are_needed(
    operation: Operation, way: str, server: MockServer, caller: Caller
) -> None:
    listed = PagedList(operation, server, caller)
    uris = [*(f"{listed.path}?a={number}" for number in range(1, len(COUNTS))), None]
    pages = [listed.page(uri, count) for uri, count in zip(uris, COUNTS, strict=True)]
    with listed.first_of(pages, way) as page:
        asked = [len(server.journal) for _ in caller.items(way, page)]
        assert asked == [n for n, count in enumerate(COUNTS, 1) for _ in range(count)]


@each_list
@pytest.mark.parametrize("way", FACADE)
def test_a_list_that_cannot_go_on_is_an_exception(
    operation: Operation, way: str, server: MockServer, caller: Caller
) -> None:
    listed = PagedList(operation, server, caller)
    first, second = f"{listed.path}?a=1", f"{listed.path}?a=2"
    loops = [(first, first), (first, second, first), (first, second, second)]
    endings: list[list[Answer]] = [[listed.page(uri) for uri in uris] for uris in loops]
    endings += [[listed.page(first), listed.with_items(items)] for items in NOT_LISTS]
    for pages in endings:
        with listed.first_of(pages, way) as page:
            with pytest.raises(PACKAGE.APIResponseError) as raised:
                [*caller.items(way, page)]
            assert len(server.journal) == len(pages)
            assert_names_the_call(listed.case, raised.value)
            assert raised.value.outcome_unknown is False
