"""The command line: made from the contract, for each operation and for `bulk`."""

from __future__ import annotations

import argparse
import datetime
import inspect
import re
import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeVar, get_args, get_origin

from ._contract import CAUTIONS, USER_AGENT, VARIABLES
from ._credentials import Problem
from ._errors import InvalidRequestError
from ._operation import Argument, Operation, kinds_of, methods, read, tags
from ._settings import SHOWN
from ._terminal import STATUSES
from .api import Compat
from .types import File

T = TypeVar("T")
NAME = USER_AGENT.partition("/")[0]
Call = Callable[[str, argparse.Namespace], int]
"""Calls the operation of a name, and returns the exit status."""
_KINDS: dict[Any, str] = {
    **{str: "TEXT", int: "INTEGER", float: "NUMBER", File: "FILE"},
    **{datetime.date: "DATE", datetime.datetime: "TIME"},
}


def read_command_line(words: list[str], call: Call) -> argparse.Namespace:
    """Read the command line, in which settings may stand anywhere.

    `run` of the result carries the command out, and `error` ends it with a message about its use.
    """
    usage = "%(prog)s COMMAND ... [options]"
    anywhere = argparse.ArgumentParser(NAME, usage, add_help=False, allow_abbrev=False)
    _add_settings(anywhere, asks=False)
    unset = argparse.Namespace(**dict.fromkeys(SHOWN))
    settings, words = anywhere.parse_known_args(words, unset)
    words[:2] = [word if word[:1] == "-" else spelled(word) for word in words[:2]]
    options, unknown = _parser(words, call).parse_known_args(words, settings)
    given = vars(options)
    missing = [text for name, text in options.required.items() if name not in given]
    # Without the values of unknown options: one may be a secret.
    unknown = [word.partition("=")[0] for word in unknown if word[:1] == "-"] or unknown
    problems = {"unexpected": unknown, "missing": missing}
    if told := [f"{what}: {' '.join(which)}" for what, which in problems.items() if which]:
        options.error("; ".join(told))
    return options


def _parser(words: list[str], call: Call) -> argparse.ArgumentParser:
    """Make the parser. Only the commands that `words` name have their arguments."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Call an operation of the API. COMMAND --help shows what there is.",
        epilog=STATUSES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=USER_AGENT.replace("/", " "))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for tag in tags():
        word = f"{tag}-operations" if tag == "bulk" else spelled(tag)
        about = _paragraphs(inspect.getdoc(getattr(Compat, tag)) or "")
        group = commands.add_parser(word, help=about, description=about, formatter_class=raw)
        if words[:1] == [word]:
            _add_operations(group, tag, words[1:2], call)
    about = "Call an operation for each row of a CSV file, or for what a search finds."
    bulk = commands.add_parser("bulk", help=about, formatter_class=raw, allow_abbrev=False)
    if words[:1] == ["bulk"]:
        from . import _bulk

        _bulk.add_arguments(bulk)
        _add_settings(bulk, asks=True)
        bulk.set_defaults(required={}, error=bulk.error)
    return parser


def _add_operations(
    group: argparse.ArgumentParser, tag: str, chosen: list[str], call: Call
) -> None:
    """Add the operations of a tag. Only the one that is `chosen` has its arguments."""
    listed = group.add_subparsers(required=True, metavar="OPERATION")
    for method in methods(tag):
        operation = Operation(f"{tag}.{method}")
        about = _paragraphs("\n\n".join(operation.about))
        parser = listed.add_parser(
            spelled(method),
            help=about.partition("\n\n")[0],
            description=about,
            epilog=STATUSES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if chosen == [spelled(method)]:
            required = _add_arguments(parser, operation)
            run = partial(call, operation.name)
            parser.set_defaults(run=run, required=required, error=parser.error)


class _Once(argparse.Action):
    """Take an option once: of two values, argparse would drop the first without a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Set the argument."""
        if getattr(namespace, self.dest, None) is not None:
            raise argparse.ArgumentError(self, "it was given twice")
        setattr(namespace, self.dest, values)


def _paragraphs(text: str) -> str:
    """Wrap the words of the contract for argparse, which takes % for its own."""
    parts = (textwrap.fill(" ".join(part.split()), 80) for part in text.split("\n\n"))
    return "\n\n".join(parts).replace("%", "%%")


def spelled(name: str) -> str:
    """Spell a name as commands and options do: AreaCode and area_code as area-code."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub("[-_]+", "-", words).strip("-").lower()


def option_names(operation: Operation) -> dict[str, str]:
    """Give the option of each argument that is not positional."""
    found: dict[str, str] = {}
    taken = {"--help", "--json", "--all", "--yes", *(f"--{name}" for name in SHOWN)}
    for name, argument in operation.arguments.items():
        if not argument.is_positional:
            option = f"--{spelled(name)}"
            if {option, option.replace("--", "--no-", 1)} & taken:
                option = f"--argument-{name}"
            taken |= {option, option.replace("--", "--no-", 1)}
            found[name] = option
    return found


def _add_arguments(parser: argparse.ArgumentParser, operation: Operation) -> dict[str, str]:
    """Add the arguments of an operation. Returns the usage of each required option."""
    options = option_names(operation)

    def in_options(text: str | None) -> str:
        """Write the names of arguments as options."""
        named = re.sub(r"`(\w+)`", lambda found: options.get(found[1], found[0]), text or "")
        return named.replace("`", "")

    parser.description = in_options(parser.description)
    positional, required = [], {}
    for name, argument in operation.arguments.items():
        known = _reading(argument)
        words = in_options(argument.about).replace("%", "%%")
        known["help"] = f"{words} Can be given again." if known.get("action") == "append" else words
        if argument.is_positional:
            parser.add_argument(f"argument {name}", **{**known, "metavar": name})
            positional.append(name)
            continue
        known.setdefault("action", _Once)
        dest = f"argument {name}"
        added = parser.add_argument(options[name], dest=dest, default=argparse.SUPPRESS, **known)
        if argument.is_required:
            choices = ",".join(map(str, added.choices or ()))
            value = "" if added.nargs == 0 else f" {added.metavar or f'{{{choices}}}'}"
            required[dest] = f"{added.format_usage()}{value}"
    parser.usage = " ".join(["%(prog)s", *positional, *required.values(), "[options]"])
    group = _add_settings(parser, asks=operation.name in CAUTIONS)
    group.add_argument("--json", action="store_true", help="write the result as one JSON document")
    if operation.has_pages:
        group.add_argument("--all", action="store_true", help="ask for all pages, not only for one")
    return required


def _reading(argument: Argument) -> dict[str, Any]:
    """Say to argparse how the text of an argument becomes its value."""
    kinds = argument.kinds
    if bool in kinds and str not in kinds and not argument.is_positional:
        return {"action": argparse.BooleanOptionalAction}
    known: dict[str, Any] = {}
    if listed := [kind for kind in kinds if get_origin(kind) is list]:
        kinds, known = kinds_of(get_args(listed[0])[0]), {"action": "append"}
    words = [kind for kind in kinds if get_origin(kind) is Literal]
    if words and str not in kinds:
        known["choices"] = [value for kind in words for value in get_args(kind)]
    else:
        known["metavar"] = next((_KINDS[kind] for kind in kinds if kind in _KINDS), "JSON")

    def read_one(text: str) -> Any:
        try:
            return read(text, kinds)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return {**known, "type": read_one}


def _add_settings(parser: argparse.ArgumentParser, *, asks: bool) -> Any:
    """Add the options that every command has. `asks` is whether it may ask a question."""
    hidden = ", ".join(f"${variable}" for k, variable in VARIABLES.items() if k not in SHOWN)
    secrets = f"Secrets come from the environment alone: {hidden}." if hidden else None
    group = parser.add_argument_group("settings", secrets)
    for name in SHOWN:
        about = f"default: ${VARIABLES[name]}"
        group.add_argument(f"--{name}", action=_Once, default=argparse.SUPPRESS, help=about)
    if asks:
        group.add_argument("--yes", action="store_true", help="do it without a question")
    return group


def make_client(kind: Callable[..., T], options: argparse.Namespace) -> T:
    """Make a client with the settings of the command line.

    Errors: `ValueError`, in the words of the command.
    """
    try:
        return kind(**{name: getattr(options, name) for name in SHOWN})
    except InvalidRequestError as error:
        raise ValueError(" ".join(map(_in_options, error.problems))) from None


def _in_options(problem: str) -> str:
    if not isinstance(problem, Problem):
        return problem
    if not (name := problem.missing):
        return problem.what
    option = f"pass --{name}, or " if name in SHOWN else ""
    return f"{problem.what}: {option}set {VARIABLES[name]}."
