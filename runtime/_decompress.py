"""Undoes the compression of a reply, within a limit of its size."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from ._redaction import one_line

_MOST_GZIP_MEMBERS = 100


def decompress(content: bytes, headers: Mapping[str, str], limit: int) -> tuple[bytes, str]:
    """Undo the compression of a body, up to one byte over `limit`; give it and what is wrong."""
    codings = [coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")]
    for coding in reversed(codings):
        if coding in ("", "identity"):
            continue
        if coding not in ("gzip", "x-gzip", "deflate"):
            return content, f"its content coding {one_line(coding, 40)} is unknown"
        # Servers send deflate with and without the header of zlib.
        bare = coding == "deflate" and content[:1] and content[0] & 0x0F != 8
        window = -zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32
        unpacked, rest, members = b"", content, 0
        # A gzip body can have several members. What is no member behind one is ignored.
        while rest and len(unpacked) <= limit and members < _MOST_GZIP_MEMBERS:
            try:
                unpacker = zlib.decompressobj(window)
                unpacked += unpacker.decompress(rest, limit + 1 - len(unpacked))
            except (MemoryError, zlib.error) as error:
                if members:
                    break
                return content, f"its {coding} is broken ({str(error) or 'out of memory'})"
            if not unpacker.eof and len(unpacked) <= limit:
                return unpacked, f"its {coding} is cut off"
            rest = unpacker.unused_data if "gzip" in coding else b""
            members += 1
        content = unpacked
    return content, ""
