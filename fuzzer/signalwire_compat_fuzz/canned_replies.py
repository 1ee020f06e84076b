"""Replies that a server is made to give, and the requests that they answer."""

import functools
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from schemathesis.core import NotSet
from signalwire_compat_mock.engine import Answer

from . import document as doc
from .case_sources import documented, operations, spec
from .document import JSON, AnyCase
from .near_valid import changed, full_body, valid_case

OPERATIONS = {found.definition.raw["operationId"]: found for found in operations(spec())}
REPLIES = {reply.path: reply for reply in operations(documented())}
OTHER_SUCCESSES = (200, 201, 202, 203, 206, 226, 299)


def request_of(path: str) -> AnyCase:
    """Return a request to the operation of a reply's path."""
    return _request_to(path.split("/")[1])


@functools.cache
def _request_to(operation_id: str) -> AnyCase:
    case = valid_case(OPERATIONS[operation_id])
    return changed(case, body=full_body(case)) if isinstance(case.body, dict) else case


@functools.cache
def alike() -> dict[str, list[str]]:
    """Group the paths of replies that have the same schema, by the first path of each group."""
    found: dict[str, list[str]] = {}
    for reply in REPLIES.values():
        found.setdefault(json.dumps(reply.definition.raw["requestBody"]), []).append(reply.path)
    return {paths[0]: paths for paths in found.values()}


def one_alike(case: AnyCase) -> str:
    """Choose one of the replies with the same schema for a case: each gets its share."""
    paths = alike()[case.operation.path]
    return paths[doc.lot(case.body, len(paths))]


def answer_of(case: AnyCase, path: str) -> Answer:
    """Turn the request that schemathesis made into the reply of this path.

    It is about what its request asks for: a text that should repeat an argument does.
    """
    kind = case.headers.get("content-type") or case.media_type or JSON
    body = case.body
    if isinstance(body, dict):
        rules = doc.repeats(request_of(path)).items()
        body = body | {
            n: asked
            for n, (asked, _) in rules
            # A blank SID breaks the rules of a reply, and stays.
            if type(body.get(n)) is type(asked) and (body[n] or n != "sid")
        }
    if not isinstance(body, NotSet | bytes):
        # Half of a surrogate pair is written as an escape: no UTF-8 holds it.
        body = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
    content = b"" if isinstance(body, NotSet) else bytes(body)
    return Answer(status_of(path.rpartition("/")[2]), content, {"content-type": kind})


def status_of(key: str) -> int:
    """Choose a status that this key of the document stands for, and no other key."""
    return int(key.replace("X", "0").replace("default", "399"))


def truncated_or_broken(answer: Answer) -> Iterator[Answer]:
    whole, packed = answer.body, gzip.compress(answer.body, mtime=0)
    html = b"<html>busy</html>"
    for body in (b"", b" ", whole[:-1], whole[: len(whole) // 2], html, whole * 2, b"\xff" + whole):
        yield replace(answer, body=body)
    for coding, body in (("gzip", whole), ("gzip", packed[:-20]), ("br", whole)):
        yield replace(answer, body=body, headers={**answer.headers, "content-encoding": coding})


def written_in_other_ways(answer: Answer) -> Iterator[Answer]:
    """Write a reply as other servers do. A success may have any status of successes."""
    said = json.loads(answer.body)
    turned = dict(reversed(said.items())) if isinstance(said, dict) else said
    loose = json.dumps(turned, indent=1).encode()
    for body in (loose, b"\r\n\t " + answer.body + b"\n", "\ufeff".encode() + answer.body):
        yield replace(answer, body=body)
    yield replace(answer, body=answer.body.decode().encode("utf-16"))
    zipped, half = gzip.compress(answer.body, mtime=0), len(answer.body) // 2
    members = b"".join(gzip.compress(p, mtime=0) for p in (answer.body[:half], answer.body[half:]))
    deflated = zlib.compress(answer.body)
    for coding, packed in (
        ("gzip", zipped),
        ("GZIP", zipped),
        ("x-gzip", zipped),
        ("gzip", members),
        ("deflate", deflated),
        ("deflate", deflated[2:-4]),  # Without its frame, as some servers send it.
        ("deflate, gzip", gzip.compress(deflated, mtime=0)),
        ("identity", answer.body),
    ):
        yield replace(answer, body=packed, headers={**answer.headers, "content-encoding": coding})
    for kind in ("text/html", f"{JSON}; charset=UTF-8"):
        yield replace(answer, headers={"content-type": kind})
    yield replace(answer, headers={})
    yield from (replace(answer, status=status) for status in OTHER_SUCCESSES if answer.status < 300)


def with_sids(body: Any) -> Any:
    """Fill the blank SIDs of the items of a list."""
    if not isinstance(body, dict):
        return body

    def filled(item: Any) -> Any:
        return {**item, "sid": "x"} if isinstance(item, dict) and item.get("sid") == "" else item

    return {n: [*map(filled, v)] if isinstance(v, list) else v for n, v in body.items()}
