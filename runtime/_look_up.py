"""After an unknown outcome: look whether what was asked for is there."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx

from ._call import FOREVER
from ._errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    InvalidRequestError,
    SignalWireError,
)
from ._redaction import Secret, Secrets, one_line, redact
from ._reply import Reply, is_same, log
from ._request import Request
from ._values import read_rfc2822

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 4.0
# What is kept for the last look.
_LAST_SECONDS = 1.0
# The clocks of a service differ by some seconds.
_CLOCKS_DIFFER = datetime.timedelta(seconds=5)
T = TypeVar("T")


class Look(NamedTuple):
    """One look for what became of a call."""

    at: datetime.datetime
    """When the answer came, in UTC by the clock of this machine."""
    result: str
    """What was seen, in words."""


class LookUp(NamedTuple):
    """How to look for what became of a call. Source: `x-look-up`.

    Attributes:
        request: The request for the list that it would be in.
        pages: The classes of its pages, sync and async.
        read: Reads a reply with a page.
        created: The member of an item that says when it was created.
    """

    request: Request
    pages: tuple[Any, Any]
    read: Callable[[Reply], Any]
    created: str


HowToLookUp = Callable[[Mapping[str, Any]], LookUp]
"""Makes the look-up for a call with these arguments."""


class Search:
    """The looks for one call.

    Args:
        request: The call whose outcome is unknown.
        how: Makes the look-up from the arguments of the call.
        elapsed: Gives the seconds since the call began. None if that is not known.
        seconds: How long to look.
    """

    def __init__(
        self,
        request: Request,
        how: HowToLookUp,
        elapsed: Callable[[], float] | None,
        seconds: float,
    ) -> None:
        self._call = request
        self._elapsed = elapsed
        self._began: datetime.datetime | None = None
        self._ends_at = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE
        self._looks: list[Look] = []
        self._is_dated = self._is_unclear = False
        self._secrets: Secrets = Secret(())
        self.how = how(request.arguments)
        self.found: Any = None

    def read(self, reply: Reply) -> Any:
        """Read a reply with a page. Its date tells when the call began by the server's clock."""
        now = read_rfc2822(reply.headers.get("date"))
        if now and self._elapsed:
            self._began = now - datetime.timedelta(seconds=self._elapsed())
        self._secrets = reply.secrets
        return self.how.read(reply)

    def is_on(self, page: Any) -> bool:
        """Whether what the call asked for is on a page: the list may have matched a pattern."""
        asked, repeats = self._call.arguments, self._call.repeats
        for item in page._own_items():
            values = item.to_dict() if hasattr(item, "to_dict") else {}
            if any(values.get(member) is None for member, _, _ in repeats):
                self._is_unclear = True
            elif all(is_same(values[member], asked[name], way) for member, name, way in repeats):
                self.found = item
                return True
        return False

    def saw(self) -> None:
        """Take note of an answer that came to its end. Errors: `APIResponseError`."""
        if self.found is None and self._is_unclear:
            request, members = self.how.request, ", ".join(name for name, *_ in self._call.repeats)
            problem = f"an item has no {members}"
            text = f"{request.call}: {problem}"
            raise APIResponseError(text, message=problem, **request.context)
        if self.found is None:
            self._note("it is not there")
            return
        created, date = self._created(), read_rfc2822(getattr(self.found, self.how.created))
        self._is_dated = bool(self._began and date)
        if self._began and date and date < self._began - _CLOCKS_DIFFER:
            self._note(f"it has been there since {created}, before this call")
            self.found, self._ends_at = None, 0.0
        else:
            self.found._found_by_look_up = True

    def failed(self, error: SignalWireError) -> None:
        """Take note of an answer that is missing or incomplete."""
        self.found, self._is_unclear = None, False
        self._note(f"no answer ({str(error).splitlines()[0]})")
        refused = isinstance(error, APIStatusError) and 400 <= (error.status or 0) < 500
        final = isinstance(error, InvalidRequestError) or is_ended_by_caller(error)
        if final or (refused and error.status not in (408, 429)):
            self._ends_at = 0.0  # Another look would end the same.

    def seconds_left(self) -> float:
        """Seconds that are left for looking."""
        return self._ends_at - time.monotonic()

    def pause(self) -> float | None:
        """Give the seconds to wait before the next look. None if there is none."""
        left = self.seconds_left() - _LAST_SECONDS
        pause, self._pause = min(self._pause, left), min(2 * self._pause, _LONGEST_PAUSE)
        return pause if self.found is None and left > 0.1 else None

    def conclude(self, lost: SignalWireError) -> Any:
        """Return what was found. Errors: `lost`, with what was seen added to its message."""
        if self.found is not None:
            what = str(lost).splitlines()[0]
            known = "" if self._is_dated else ", and it may have been there before this call"
            log.warning("%s. Found by looking: created %s%s", what, self._created(), known)
            return self.found
        last = self._looks[-1]
        times = "once, at" if len(self._looks) == 1 else f"{len(self._looks)} times, until"
        seen = f"Looked {times} {last.at:%H:%M:%S} UTC: {last.result}."
        text, advice = str(lost), lost.advice or ""
        lost.looks = tuple(self._looks)
        lost.advice = f"{seen} {advice}"
        lost.args = (text.removesuffix(advice) + lost.advice,)
        raise lost

    def _created(self) -> str:
        text = str(getattr(self.found, self.how.created))
        return one_line(redact(text, self._secrets), 40)

    def _note(self, result: str) -> None:
        self._looks.append(Look(datetime.datetime.now(datetime.UTC), result))


class _Timed:
    """A client for the pages of one look: they share the time that is left for looking."""

    def __init__(self, client: Any, search: Search) -> None:
        self._client = client
        self._settings = client._settings
        self._search = search

    def _in_time(self, request: Request) -> Any:
        left = self._search.seconds_left()
        if left <= 0:
            text = f"{request.call}: the time for looking was over before the last page"
            raise APITimeoutError(text, message=text, **request.context)
        return self._client.with_timeout(max(round(left, 2), 0.01))

    def _send(self, request: Request, read: Callable[[Reply], T]) -> Any:
        return self._in_time(request)._send(request, read)

    async def _asend(self, request: Request, read: Callable[[Reply], T]) -> Any:
        return await self._in_time(request)._asend(request, read)


def look(client: Any, search: Search) -> None:
    """Look once. Errors: those of the list."""
    page = search.how.pages[0]._fetch(client, search.how.request, search.read, {})
    while page is not None and not search.is_on(page):
        page = page.next_page()
    search.saw()


async def look_async(client: Any, search: Search) -> None:
    """Do what `look` does."""
    page = await search.how.pages[1]._fetch(client, search.how.request, search.read, {})
    while page is not None and not search.is_on(page):
        page = await page.next_page()
    search.saw()


def look_on(client: Any, search: Search) -> None:
    """Look until something conclusive is seen or the time is over."""
    while True:
        try:
            look(_Timed(client, search), search)
        except SignalWireError as error:
            search.failed(error)
        pause = search.pause()
        if pause is None:
            return
        time.sleep(pause)


async def look_on_async(client: Any, search: Search) -> None:
    """Do what `look_on` does."""
    import anyio

    while True:
        try:
            await look_async(_Timed(client, search), search)
        except SignalWireError as error:
            search.failed(error)
        pause = search.pause()
        if pause is None:
            return
        await anyio.sleep(pause)


class Looker:
    """Stands in for the client of an operation: it looks for the outcome and sends nothing else."""

    def __init__(self, client: Any, account: str) -> None:
        self._client = client
        self.account = account

    def _send(self, request: Request, _: Any, how: HowToLookUp | None = None) -> Any:
        search = self._search(request, how)
        look(_Timed(self._client, search), search)
        return search.found

    async def _asend(self, request: Request, _: Any, how: HowToLookUp | None = None) -> Any:
        search = self._search(request, how)
        await look_async(_Timed(self._client, search), search)
        return search.found

    def _search(self, request: Request, how: HowToLookUp | None) -> Search:
        if how is None:
            text = f"{request.operation} has no look-up: nothing says how to find its outcome."
            raise InvalidRequestError(text, **request.context)
        seconds = self._client.timeout
        return Search(request, how, None, FOREVER if seconds is None else seconds)


def looking(client: Any, method: Callable[..., Any]) -> Callable[..., Any]:
    """Give a method that looks for the outcome of a call of this one, with its arguments."""
    group: Any = getattr(method, "__self__", None)
    given: Any = getattr(group, "_client", None)
    if type(given) is not type(client):
        raise InvalidRequestError(
            "look_up takes a method of a client of this kind, client.compat.<tag>.<operation>, "
            f"got {method!r:.100}."
        )
    ours, theirs = ((each._settings.credentials.user, each.base_url) for each in (client, given))
    if theirs != ours:
        raise InvalidRequestError(
            "look_up takes a method of a client for the same project and host, "
            f"got one for {theirs[0]!r} at {theirs[1]}."
        )
    found: Callable[..., Any] = getattr(type(group)(Looker(client, given.account)), method.__name__)
    return found


def is_ended_by_caller(error: SignalWireError) -> bool:
    """Whether a hook, a mock or a signal handler of the caller's ended a call, not the network."""
    cause = error.__cause__
    known = isinstance(cause, httpx.HTTPError | OSError | None)
    # httpx-aiohttp lets errors of aiohttp through, such as those of a reply that is not HTTP.
    known |= type(cause).__module__.startswith("aiohttp.")
    return isinstance(error, APIConnectionError) and not known
