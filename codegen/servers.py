"""The servers of a document: one for most operations, and others for some."""

from __future__ import annotations

from typing import Any

from codegen.document import at, called_operations, nodes

_HERE: list[dict[str, Any]] = [{"url": "/"}]


def put_on_operations(document: dict[str, Any]) -> None:
    """Put the servers at the top, those that differ on the operations, and none on the paths.

    Without servers at the top, those of most operations are put there.
    """
    operations = dict(called_operations(document))
    used = {
        where: node.get("servers") or at(document, where[:2]).get("servers")
        for where, node in operations.items()
    }
    if not document.get("servers"):
        given = [each or _HERE for each in used.values()]
        document["servers"] = max(given, key=given.count, default=_HERE)
        used = {where: each or _HERE for where, each in used.items()}
    for kind, where, node in nodes(document):
        if kind in ("path", "operation") and where[:1] == ("paths",) and len(where) <= 3:
            node.pop("servers", None)
    for where, node in operations.items():
        if used[where] and used[where] != document["servers"]:
            node["servers"] = used[where]


def urls_of(node: dict[str, Any]) -> list[str]:
    """Write the URLs of the servers of a document or operation, with defaults for variables."""
    urls = []
    for server in node.get("servers", ()):
        url = str(server["url"])
        for name, variable in server.get("variables", {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default")))
        urls.append(url)
    return urls


def is_complete(server: dict[str, Any]) -> bool:
    """Whether a server has a host that needs no choice of the caller's."""
    return "://" in server["url"] and "{" not in server["url"]
