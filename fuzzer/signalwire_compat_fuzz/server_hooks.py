"""What `schemathesis run` does besides for us: near cases, two checks, and what was left out.

Near cases are examples to it, so its checks, baseline, filters and reports cover them.
"""

import atexit
import json
import os
import re
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import schemathesis
from schemathesis import Response
from schemathesis.core import NotSet

from . import case_corrections  # noqa: F401  # It corrects the cases of schemathesis.
from . import document as doc
from .contract_coverage import COVERAGE
from .document import AnyCase
from .expected_request import as_text, code_of_refusal, has_text, is_sendable, is_valid_as_text
from .near_valid import cases_with_unknown_members, near_valid_cases
from .options import RULES, number
from .rules import broken_rules
from .user_hook import around_case

NEAR_SHARE = 0.4
"""Of the whole time; the rest is for the phases of schemathesis."""
_SECONDS = number("seconds", 0) * NEAR_SHARE
_LEAST = 20
_REFUSALS = {401, 403, 404, 409, 429}
"""A valid case may get these, or a failure, from a server whose rules nobody has written down."""


class Reply(NamedTuple):
    """A reply, as the coverage of the document reads it."""

    status: int
    reply_body: bytes


class Run:
    """What was done so far: the operations that begin later get what is left of the time."""

    def __init__(self) -> None:
        self.cases = 0
        self.begun: list[str] = []
        self.left_out: dict[str, str] = {}
        self.untried: Counter[str] = Counter()
        self.phases: dict[str, set[str]] = {}
        self._start = time.monotonic()

    def share(self, operation: Any) -> list[AnyCase]:
        """Return as many near cases of an operation as there is time for, of all kinds alike."""
        label = operation.label
        try:
            near = [
                *near_valid_cases(operation, awkward=True),
                *cases_with_unknown_members(operation),
            ]
        except Exception as error:  # A document can say what nothing keeps to.
            self.left_out[label] = f"all cases with one odd member: {type(error).__name__}"
            return []
        cases = [*{repr(case): case for case in near if _is_plain(case)}.values()]
        passed = time.monotonic() - self._start
        waiting = sum(1 for _ in operation.schema.get_all_operations()) - len(self.begun)
        self.begun.append(label)
        if _SECONDS:
            rate = self.cases / passed if self.cases > _LEAST else 100
            most = max(_LEAST, int(rate * (_SECONDS - passed) / max(1, waiting)))
            self.untried[label] += len(cases)
            return cases[:most]
        self.untried[label] += len(cases)
        return cases

    def write(self) -> None:
        """Leave the counts for the process that started this one."""
        left_out = {label: [what] for label, what in self.left_out.items()}
        for label, count in self.untried.items():
            if count > 0:
                left_out.setdefault(label, []).append(f"{count:,} cases with one odd member")
        for path, method, _ in doc.operations():
            label = f"{method.upper()} {path}"
            missing = {"coverage", "fuzzing"} - self.phases.get(label, set())
            if missing:
                left_out.setdefault(label, []).extend(f"phase {name}" for name in sorted(missing))
        told = {
            "cases": self.cases,
            "left_out": {label: ", ".join(what) for label, what in left_out.items()},
            "covered": COVERAGE.export(),
        }
        Path(os.environ["FUZZ_COUNTS"]).write_text(json.dumps(told), "utf-8")


RUN = Run()
if os.environ.get("FUZZ_COUNTS"):
    atexit.register(RUN.write)
_around = threading.local()


def _is_plain(case: AnyCase) -> bool:
    """Tell whether schemathesis writes a case as it is: it spells some segments in its own way.

    It escapes no cookie either.
    """
    segments = map(str, case.path_parameters.values())
    cookies = "".join(map(str, case.cookies.values()))
    return (
        all(re.fullmatch(r"[\w.~-]+", segment, re.ASCII) for segment in segments)
        and re.fullmatch(r"[!#-+\-.-:<-\[\]-~]*", cookies) is not None
        and has_text(case)
        and is_sendable(case)
    )


@schemathesis.hook
def before_add_examples(context: schemathesis.HookContext, examples: list[AnyCase]) -> None:
    # It begins with the last, and with a limit of time it may not come to the first.
    examples += reversed(RUN.share(context.operation))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    _around.case = around_case(case)
    _around.case.__enter__()


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: AnyCase, response: Response) -> None:
    _leave()


@schemathesis.hook
def after_network_error(context: schemathesis.HookContext, case: AnyCase, request: Any) -> None:
    _leave()


def _leave() -> None:
    entered: AbstractContextManager[Any] | None = getattr(_around, "case", None)
    _around.case = None
    if entered:
        entered.__exit__(None, None, None)


@schemathesis.check
def one_odd_member(ctx: schemathesis.CheckContext, response: Response, case: AnyCase) -> None:
    """Check that what the document allows is accepted, and the rest refused."""
    RUN.cases += 1
    if case.method.upper() == case.operation.method.upper():
        COVERAGE.record(case, Reply(response.status_code, response.content))
    if case.meta is not None:
        RUN.phases.setdefault(case.operation.label, set()).add(case.meta.phase.name.value)
        return  # Schemathesis says of its own cases whether they are valid, and checks them.
    RUN.untried[case.operation.label] -= 1
    is_taken, status = 200 <= response.status_code < 300, response.status_code
    if is_valid_as_text(case) and not broken_rules(case):
        assert is_taken or (not RULES and (status in _REFUSALS or status >= 500)), (
            f"The document allows this request, and the reply is {status}."
        )
    else:
        assert not is_taken, f"The document forbids this request, and the reply is {status}."
        code = code_of_refusal(case) or next(iter(broken_rules(case).values()), None)
        said = doc.typed(response.content)
        assert code is None or said.get("code") == code, f"The code must be {code}: {said}"


@schemathesis.check
def echo(ctx: schemathesis.CheckContext, response: Response, case: AnyCase) -> None:
    """Check that a success says what was sent, in the member of the same name and type."""
    schema = doc.reply_schema(case, response.status_code)
    body = case.body
    if schema is None or isinstance(body, NotSet) or not isinstance(body, dict):
        return
    said = doc.typed(response.content)
    if not (200 <= response.status_code < 300 and isinstance(said, dict)):
        return
    written = as_text if doc.is_form(case) else doc.as_json
    sent, named = doc.named_members(doc.body_schema(case) or {}), doc.named_members(schema)
    wrong = [
        f"{name} was sent as {body[name]!r}, and comes back as {said.get(other)!r}."
        for name, other in ((name, _alike(name, named)) for name in body.keys() & sent.keys())
        if other and _is_repeated(sent[name], named[other], body[name])
        if written(said.get(other)) != written(body[name])
    ]
    assert not wrong, " ".join(sorted(wrong))


def _alike(name: str, named: dict[str, Any]) -> str | None:
    """Find the member of the same name; some replies have `friendly_name` for `FriendlyName`."""
    plain = {other.replace("_", "").lower(): other for other in named}
    return plain.get(name.replace("_", "").lower())


def _is_repeated(sent: doc.Schema, said: doc.Schema, value: Any) -> bool:
    """Tell whether a value must come back unchanged: a server may rewrite a date or a URL."""
    kinds = [
        (one.get("type"), one.get("format")) for one in (doc.resolved(sent), doc.resolved(said))
    ]
    types = [{*kind} if isinstance(kind, list) else {kind} for kind, _ in kinds]
    plain = {"string", "boolean", "integer"}
    is_plain = isinstance(value, str | bool | int) and not any(form for _, form in kinds)
    return is_plain and bool(types[0] & types[1] & plain)
