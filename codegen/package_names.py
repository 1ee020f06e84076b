"""The names of a package that a maintainer chooses: the settings in `generator-config.yml`."""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from openapi_python_client.config import ConfigFile
from openapi_python_client.strings import ClassName, PythonIdentifier
from pydantic import ValidationError

from codegen.credentials import OWN_ARGUMENTS, Credentials
from codegen.document import Pointer, Problem, called_operations, dotted, nearest
from codegen.yaml_source import Source, SpecError

NAME = "x-python-name"
"""Where the name of the method of an operation is kept, if it is not made of the operationId."""
_MAPS = ("tags", "operations", "credentials")
_WORDS = ("client", "namespace", "error", "variables", "host_variable")
# Names at the root of the package, and those that its modules import.
_TAKEN = {
    *("APIConnectionError", "APIResponseError", "APIStatusError", "APITimeoutError", "Any", "Call"),
    *(
        "AuthenticationError",
        "BadRequestError",
        "ConflictError",
        "Exception",
        "InvalidRequestError",
    ),
    *("Look", "NotFoundError", "PermissionDeniedError", "RateLimitError", "Reply", "Request"),
    *("AsyncClient", "BaseClient", "Response", "Schema", "ServerError", "SyncClient", "UNSET"),
    *("UnprocessableEntityError", "Unset"),
}


class Names(NamedTuple):
    """The names of a package.

    `tags` and `operations` lead from the document's to Python's, `credentials` from the usual
    arguments of the clients to others.
    """

    client: str = "RestClient"
    namespace: str = "compat"
    error: str = "SignalWireError"
    variables: str = "SIGNALWIRE"
    host_variable: str = ""
    project: str = "signalwire-compat"
    package: str = "signalwire_compat"
    tags: Mapping[str, str] = MappingProxyType({})
    operations: Mapping[str, str] = MappingProxyType({})
    credentials: Mapping[str, str] = MappingProxyType({})

    @property
    def root(self) -> str:
        """The class of the namespace."""
        return ClassName(self.namespace, "")

    @property
    def host(self) -> str:
        """The environment variable of the host."""
        return self.host_variable or f"{self.variables}_HOST"

    @property
    def classes(self) -> set[str]:
        """The classes that the package makes itself."""
        return {
            *(f"{prefix}{name}" for prefix in ("", "Async") for name in (self.client, self.root)),
            self.error,
        }

    def in_code(self, text: str) -> str:
        """Write a module of runtime/ with these names in place of the usual ones."""
        usual = USUAL
        words = {
            **{f"Async{usual.client}": f"Async{self.client}", usual.client: self.client},
            **{f"Async{usual.root}": f"Async{self.root}", usual.root: self.root},
            **{usual.error: self.error, usual.project: self.project, usual.package: self.package},
            f"client.{usual.namespace}": f"client.{self.namespace}",
        }
        if self.project != usual.project:
            words["the SignalWire Compatibility API"] = "an API"
        pattern = "|".join(rf"\b{re.escape(word)}\b" for word in sorted(words, key=len)[::-1])
        return re.sub(pattern, lambda found: words[found[0]], text)


USUAL = Names()


def read_names(config: Path) -> Names:
    """Read the names in a file of settings. Errors: `SpecError` that names every mistake."""
    source = Source(config)
    data = source.data if isinstance(source.data, dict) else {}
    if problems := [*source.problems, *_wrong(source.data)]:
        raise SpecError(_told(source, problems))
    chosen = {key: value for key, value in (data.get("names") or {}).items() if value is not None}
    given = {"project": "project_name_override", "package": "package_name_override"}
    chosen |= {key: data[setting] for key, setting in given.items() if setting in data}
    return Names(**chosen)


def put_names(document: dict[str, Any], names: Names) -> None:
    """Write the names of tags and operations into a document in its normal form."""
    for _, node in called_operations(document):
        node["tags"] = [names.tags.get(tag, tag) for tag in node["tags"]]
    for tag in document.get("tags", []):
        tag["name"] = names.tags.get(tag["name"], tag["name"])
    for where, node in called_operations(document):
        route = f"{str(where[2]).upper()} {where[1]}"
        if name := names.operations.get(route) or names.operations.get(node["operationId"]):
            node[NAME] = name


def check_names(config: Path, document: dict[str, Any], names: Names) -> None:
    """Compare the names with a document that has them. Errors: `SpecError` for what it lacks."""
    source, problems = Source(config), list[Problem]()
    known = {"tags": set(names.tags.values()), "operations": set[str]()}
    for where, node in called_operations(document):
        known["operations"] |= {node["operationId"], f"{str(where[2]).upper()} {where[1]}"}
    found = {tag for _, node in called_operations(document) for tag in node["tags"]}
    for tag, name in names.tags.items():
        if name not in found:
            problems.append((("names", "tags", tag), f"no operation has the tag {tag}: remove it"))
    for name in names.operations.keys() - known["operations"]:
        near = difflib.get_close_matches(name, sorted(known["operations"]), 1, 0)
        what = f'is not an operation of the document: the nearest is "{near[0]}"'
        problems.append((("names", "operations", name), what))
    problems += _clashes(document, names)
    problems += _wrong_credentials(document, names)
    if problems:
        raise SpecError(_told(source, problems))


def _clashes(document: dict[str, Any], names: Names) -> Iterator[Problem]:
    """Find methods of one tag that have the same name, one of them by the settings."""
    first: dict[tuple[str, str], str] = {}
    for where, node in called_operations(document):
        usual = PythonIdentifier(node["operationId"], "field_")
        route = f"{str(where[2]).upper()} {where[1]}"
        key = route if route in names.operations else node["operationId"]
        pair = node["tags"][0], node.get(NAME) or usual.removesuffix("_")
        if (other := first.setdefault(pair, key)) != key:
            chosen = key if key in names.operations else other
            if chosen in names.operations:
                what = f"{pair[1]} is the name of {other if chosen == key else key}, too"
                yield ("names", "operations", chosen), f"{what}, in the tag {pair[0]}: rename one"


def _wrong_credentials(document: dict[str, Any], names: Names) -> Iterator[Problem]:
    """Find arguments of the clients that do not exist, or that get the name of another one."""
    usual = [argument.name for argument in Credentials(document, "").arguments]
    for old, new in names.credentials.items():
        place = ("names", "credentials", old)
        others = [names.credentials.get(name, name) for name in usual if name != old]
        if old not in usual:
            known = ", ".join(usual) or "none"
            yield place, f"is not an argument of the clients, which take {known}: use one of them"
        elif new in {*OWN_ARGUMENTS, names.namespace, *others}:
            yield place, f"{new} is another argument of the clients: choose another name"


def _told(source: Source, problems: list[Problem]) -> str:
    places = [(nearest(source.data, where), where, what) for where, what in problems]
    lines = [source.line(source.marks[near], dotted(where), what) for near, where, what in places]
    return "\n".join(sorted(lines))


def _wrong(data: Any) -> Iterator[Problem]:
    if not isinstance(data, dict):
        yield (), "is not a mapping of settings"
        return
    yield from _unknown(data, (), [*ConfigFile.model_fields, "names"])
    try:
        ConfigFile.model_validate(data)
    except ValidationError as error:
        for each in error.errors():
            yield each["loc"], each["msg"]
    names = data.get("names")
    if names is not None and not isinstance(names, dict):
        yield ("names",), "is not a mapping of names"
        return
    yield from _unknown(names or {}, ("names",), [*_WORDS, *_MAPS])
    yield from _wrong_words(names or {})
    package = data.get("package_name_override", "a")
    if not _is_name(package):
        yield ("package_name_override",), f"{package!r} is not a name in Python"
    for key in _MAPS:
        chosen = (names or {}).get(key) or {}
        if not isinstance(chosen, dict):
            yield ("names", key), "is not a mapping of names"
            continue
        for old, new in chosen.items():
            if not _is_name(new) or str(new).startswith("_"):
                yield ("names", key, old), f"{new!r} is not a name in Python"


def _wrong_words(names: dict[str, Any]) -> Iterator[Problem]:
    for key in ("client", "error", "namespace"):
        if (name := names.get(key)) is None:
            continue
        if not _is_name(name):
            yield ("names", key), f"{name!r} is not a name in Python"
        elif name in _TAKEN or f"Async{name}" in _TAKEN:
            yield ("names", key), f"{name} is a name that the package uses: choose another"
        elif key == "namespace" and (name in OWN_ARGUMENTS - {"compat"} or name.startswith("_")):
            yield ("names", key), f"{name} is an attribute of every client: choose another"
    usual = USUAL
    chosen = [names.get(key) or getattr(usual, key) for key in ("client", "error")]
    chosen.append(ClassName(str(names.get("namespace") or usual.namespace), ""))
    if len({*chosen, *(f"Async{name}" for name in chosen)}) < 2 * len(chosen):
        yield ("names",), f"two of {', '.join(chosen)} have the same name: choose others"
    for key in ("variables", "host_variable"):
        name = names.get(key)
        if name is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]*", str(name)):
            yield ("names", key), f"{name!r} is not the name of a variable, such as SHOP"


def _unknown(given: dict[str, Any], where: Pointer, known: list[str]) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0)[0]
            yield (*where, key), f'is not a setting: the nearest is "{near}"'


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and text.isidentifier() and not keyword.iskeyword(text)
