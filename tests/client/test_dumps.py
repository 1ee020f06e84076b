"""No dump of a client, a call or an error shows a piece of the token, however it cuts texts."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import rich.console
import rich.traceback
import structlog
from rich.pretty import pretty_repr
from signalwire_compat import RestClient, SignalWireError

from tests.client.conftest import TOKEN
from tests.conftest import PROJECT

PAIR = base64.b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()
# The beginning of the pair is the Project ID, which is no secret.
PIECES = {
    text[start : start + 8]
    for text in (TOKEN, PAIR[len(PROJECT) * 4 // 3 :])
    for start in range(len(text) - 7)
}


def rich_traceback(error: BaseException) -> str:
    written = io.StringIO()
    console = rich.console.Console(file=written, width=300)
    trace = rich.traceback.Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=20
    )
    console.print(trace)
    return written.getvalue()


def structlog_traceback(error: BaseException) -> str:
    transform = structlog.tracebacks.ExceptionDictTransformer(
        show_locals=True, locals_max_string=20
    )
    return repr(transform((type(error), error, error.__traceback__)))


def pieces_in(text: str) -> list[str]:
    return [piece for piece in PIECES if piece in text]


def refused_setting(_: RestClient) -> None:
    RestClient(PROJECT, token=f"{TOKEN} ", host="localhost")


def token_as_project(_: RestClient) -> None:
    RestClient(TOKEN, PROJECT, "localhost")


def refused_argument(client: RestClient) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber="one")


def refused_connection(client: RestClient) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber="+15551234567")


@pytest.fixture
def client() -> Iterator[RestClient]:
    with RestClient(PROJECT, TOKEN, "http://127.0.0.1:1", max_retries=0) as made:
        yield made


def error_of(fail: Callable[[RestClient], None], client: RestClient) -> SignalWireError:
    with pytest.raises(SignalWireError) as caught:
        fail(client)
    return caught.value


def without_this_file(error: BaseException) -> BaseException:
    """Leave out the frames here, which hold the token as a caller's do."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


@pytest.mark.parametrize("dump", [rich_traceback, structlog_traceback])
@pytest.mark.parametrize(
    "fail", [refused_setting, token_as_project, refused_argument, refused_connection]
)
def test_a_traceback_with_locals_shows_no_piece_of_the_token(
    fail: Callable[[RestClient], None], dump: Callable[[BaseException], str], client: RestClient
) -> None:
    shown = dump(without_this_file(error_of(fail, client)))
    assert "signalwire_compat" in shown
    assert pieces_in(shown) == []


@pytest.mark.parametrize("given", [None, httpx.Client()])
def test_a_dump_of_a_client_shows_no_piece_of_the_token(given: Any) -> None:
    client = RestClient(PROJECT, TOKEN, "localhost", http_client=given)
    shown = repr(vars(client)) + pretty_repr(vars(client), max_string=20, expand_all=True)
    assert PROJECT[:20] in shown
    assert pieces_in(shown) == []
