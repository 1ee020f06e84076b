"""Files, and the bodies that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from attrs import define

from ._encoding import as_text, json_body
from ._errors import InvalidRequestError
from ._values import FileContent, FileTypes, encode


@define
class File:
    """A file of a multipart form: its content, its name and its media type."""

    payload: FileContent
    """The content, or a file that is open for reading."""
    file_name: str | None = None
    """The name that the server is told."""
    mime_type: str | None = None
    """The media type, such as `image/png`."""


def read_file(file: File) -> bytes | str:
    """Read the content of a file. Errors: `InvalidRequestError` if it can't be read."""
    if isinstance(file.payload, bytes | str):
        return file.payload
    try:
        return file.payload.read()
    except (AttributeError, OSError, ValueError) as error:
        raise InvalidRequestError(f"The file can't be read: {error}.") from error


def multipart(members: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments of a `Request` for a `multipart/form-data` body.

    A file always gets a file name, since servers recognize files by it.
    """
    files: list[tuple[str, FileTypes]] = []
    for name, value in members.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, File):
                own_name = PurePath(str(getattr(item.payload, "name", ""))).name
                file_name = item.file_name or own_name or "upload"
                files.append((name, (file_name, item.payload, item.mime_type)))
            elif isinstance(item, dict):
                files.append((name, (None, json_body(item), "application/json")))
            else:
                files.append((name, (None, as_text(name, encode(item)), None)))
    if files:
        return {"files": files}
    # httpx would send no body at all for a form without parts.
    return {"content": b"--end--\r\n", "content_type": "multipart/form-data; boundary=end"}
