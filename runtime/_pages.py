"""Pages of a list: the items of all pages, one request at a time and only when it is needed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit

from attrs import fields

from ._errors import APIResponseError, InvalidRequestError
from ._redaction import one_line, redact
from ._reply import Reply
from ._request import Request
from ._values import unvalidated

Item = TypeVar("Item")
# Not Self, which jedi does not know.
Sync = TypeVar("Sync", bound="SyncPage[Any]")
Async = TypeVar("Async", bound="AsyncPage[Any]")
Read = Callable[[Reply], Any]


class _BasePage(Generic[Item]):
    """One page. Its class names the members that hold the items and the URI of the next page."""

    _items: ClassVar[str]
    _next: ClassVar[str]
    _client: Any = None
    _request: Request
    _read: Read
    # The query of each page so far and its place, since a way back would never end.
    _places: dict[str, int]

    @classmethod
    def _of(
        cls, model: Any, client: Any, request: Request, read: Read, places: dict[str, int]
    ) -> Self:
        values = {field.name: getattr(model, field.name) for field in fields(type(model))}
        page = unvalidated(cls, **values)
        page._client, page._request, page._read, page._places = client, request, read, places
        return page

    def _own_items(self) -> list[Item]:
        items = getattr(self, self._items)
        if not isinstance(items, list):
            raise self._error(f"{self._items} must be a list, got {type(items).__name__}")
        return items

    def _next_request(self) -> Request | None:
        uri = getattr(self, self._next)
        if uri is None:
            return None
        if self._client is None:
            raise InvalidRequestError("a copy of a page has no client: ask for the page again.")
        path, parts = self._request.path, urlsplit("")
        with contextlib.suppress(ValueError):  # Such as "http://[".
            parts = urlsplit(uri) if isinstance(uri, str) else parts
        if parts.scheme or parts.netloc or not parts.path.endswith((path, f"{path}.json")):
            raise self._error(f"{self._next} must be a path that ends in {path}, got {uri!r}")
        here = self._places.setdefault(self._request.query, 0)
        if self._places.setdefault(parts.query, here + 1) <= here:
            raise self._error(f"{self._next} leads back to an earlier page: {uri}")
        return self._request._replace(query=parts.query)

    def _error(self, problem: str) -> APIResponseError:
        problem = one_line(redact(problem, self._client._settings.secrets))
        text = f"{self._request.call}: {problem}"
        return APIResponseError(text, message=problem, **self._request.context)


class SyncPage(_BasePage[Item]):
    """A page of a `RestClient`. Iterating it gives the items of this page and of all after it."""

    @classmethod
    def _fetch(cls, client: Any, request: Request, read: Read, places: dict[str, int]) -> Self:
        """Ask for a page. Errors: those of the operation."""
        return cls._of(client._send(request, read), client, request, read, places)

    def next_page(self: Sync) -> Sync | None:
        """Ask for the next page. None after the last one.

        Errors: those of the operation; `APIResponseError` if the next page can't be asked for.
        """
        request = self._next_request()
        return request and self._fetch(self._client, request, self._read, self._places)

    def __iter__(self) -> Iterator[Item]:
        page: SyncPage[Item] | None = self
        while page is not None:
            yield from page._own_items()
            page = page.next_page()


class AsyncPage(_BasePage[Item]):
    """A page of an `AsyncRestClient`, for `async for`."""

    __iter__: ClassVar[None] = None  # Not the members, as another model has it.

    @classmethod
    async def _fetch(
        cls, client: Any, request: Request, read: Read, places: dict[str, int]
    ) -> Self:
        """Do what `SyncPage._fetch` does."""
        return cls._of(await client._asend(request, read), client, request, read, places)

    async def next_page(self: Async) -> Async | None:
        """Do what `SyncPage.next_page` does."""
        request = self._next_request()
        return request and await self._fetch(self._client, request, self._read, self._places)

    async def __aiter__(self) -> AsyncIterator[Item]:
        page: AsyncPage[Item] | None = self
        while page is not None:
            for item in page._own_items():
                yield item
            page = await page.next_page()
