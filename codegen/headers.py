"""Headers of any type: the generator takes more types in a query, so it reads headers there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from openapi_python_client.parser import GeneratorData

from codegen.clashes import endpoints
from codegen.document import nodes
from codegen.facts import Constraints


@contextlib.contextmanager
def headers_in_query(document: dict[str, Any]) -> Iterator[None]:
    """Let the headers of a document be parts of the query for a while."""
    found = [node for kind, _, node in nodes(document) if kind == "parameter"]
    headers = [node for node in found if node.get("in") == "header"]
    for node in headers:
        node["in"] = "query"
    try:
        yield
    finally:
        for node in headers:
            node["in"] = "header"


def move_headers(document: dict[str, Any], data: GeneratorData) -> None:
    """Move what the generator took for parts of the query to the headers."""
    schemas = Constraints(document)
    for endpoint in endpoints(data):
        for parameter in [*endpoint.query_parameters]:
            if schemas.place(endpoint.name, parameter.name) == "header":
                endpoint.query_parameters.remove(parameter)
                endpoint.header_parameters.append(parameter)
