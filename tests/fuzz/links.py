"""The links of openapi.yaml: which call can follow another, and what it takes from it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.near_valid import changed


class Done(NamedTuple):
    """A call that succeeded, and the JSON of its reply."""

    case: AnyCase
    reply: Any


@dataclass(frozen=True)
class Link:
    """A link on a success of `source`: both operations are operationIds."""

    source: str
    target: str
    parameters: dict[str, Any]
    members: dict[str, Any]


def operation_id(case: AnyCase) -> str:
    return str(case.operation.definition.raw["operationId"])


def _links() -> list[Link]:
    found = []
    for _, _, operation in doc.operations():
        for status, reply in operation["responses"].items():
            for node in doc.resolved(reply).get("links", {}).values() if status < "300" else ():
                link = doc.resolved(node)
                given = (link.get(part, {}) for part in ("parameters", "requestBody"))
                found.append(Link(operation["operationId"], link["operationId"], *given))
    known = {operation["operationId"] for _, _, operation in doc.operations()}
    return [link for link in found if link.target in known]


LINKS = _links()


def followed(link: Link, done: Done, place: int, case: AnyCase) -> AnyCase | None:
    """Put what a link takes from a call into a case of its target. None if the reply lacks it.

    Where the link takes an item of a list, here the first one, that at `place` is as good.
    """
    found = {name: _value(text, done, place) for name, text in link.parameters.items()}
    members = {name: _value(text, done, place) for name, text in link.members.items()}
    if None in (*found.values(), *members.values()):
        return None
    of_path = {name: value for name, value in found.items() if name in case.path_parameters}
    parts: dict[str, Any] = {
        "path_parameters": {**case.path_parameters, **of_path},
        "query": {**case.query, **{n: v for n, v in found.items() if n not in of_path}},
    }
    if members:
        parts["body"] = {**case.body, **members} if isinstance(case.body, dict) else members
    return changed(case, **parts)


def _value(expression: Any, done: Done, place: int) -> Any:
    if not str(expression).startswith("$"):
        return expression
    source, _, rest = str(expression).removeprefix("$").partition(".")
    part, _, path = rest.replace("#/", ".").partition(".")
    names = path.split("/")
    case = done.case
    parts = {"path": case.path_parameters, "query": case.query, "body": case.body}
    value: Any = parts[part] if source == "request" else done.reply
    for name in names:
        if isinstance(value, list):
            value = value[place % len(value)] if value else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value
