"""Our cases and checks, as hooks of schemathesis, and what a run leaves behind.

Near cases are examples to it, so its checks, baseline and filters cover them.
"""

import atexit
import functools
import itertools
import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import Phase, settings
from schemathesis import Response
from schemathesis.core.failures import Failure, FailureGroup

from . import case_corrections, server_report  # noqa: F401  # Both work for schemathesis.
from . import document as doc
from .case_sources import is_shrunk, operations, spec
from .contract_coverage import COVERAGE
from .document import AnyCase
from .expected_request import as_text, code_of_refusal, has_text, is_sendable, is_valid_as_text
from .made import keep, naming_what_was_made
from .near_valid import (
    GROUPS,
    cases_with_members,
    cases_with_unknown_members,
    changed,
    has_plain_path,
    near_valid_cases,
)
from .options import RULES, number
from .rules import broken_rules
from .server_run import CONFIG, OWN_CONFIG
from .user_hook import around_case

NEAR_SHARE = 0.4
"""Of the whole time; the rest is for the phases of schemathesis."""
_SECONDS = number("seconds", 0) * NEAR_SHARE
_LEAST = 20
_NAMED = 2
_REFUSALS = {401, 403, 404, 409, 429}
"""A valid case may get these from a server whose rules nobody has written down."""


class Run:
    """What was done so far: the operations that begin later get what is left of the time."""

    def __init__(self) -> None:
        self.cases = 0
        self.begun: list[str] = []
        self.bases: dict[str, AnyCase] = {}
        self.failing: set[str] = set()
        self.left_out: dict[str, str] = {}
        self.untried: Counter[str] = Counter()
        self.phases: dict[str, set[str]] = {}
        self.valid_replies: dict[str, Counter[int]] = {}
        self._start = 0.0

    def share(self, operation: Any) -> list[AnyCase]:
        """Return as many near cases of an operation as there is time for, of all kinds alike."""
        label = operation.label
        if not self.begun:
            self._start = time.monotonic()
        try:
            made = (
                near_valid_cases(operation, awkward=True),
                cases_with_unknown_members(operation),
            )
            near = [*map(_written, itertools.chain(*made))]
            named = naming_what_was_made(operation, near)
            if _is_plain(named[0]) and is_valid_as_text(named[0]):
                near = named
        except Exception as error:  # A document can say what nothing keeps to.
            self.left_out[label] = f"all cases with one odd member: {type(error).__name__}"
            return []
        if unwritten := _unwritten(near[0]):
            names = " and ".join(unwritten)
            self.left_out[label] = f"cases with an odd {names}: no way to write that is known"
            if any(unwritten.values()):
                return []
            near = [_without(case, unwritten) for case in near]
        self.bases[label] = near[0]
        cases = [*{repr(case): case for case in near if _is_plain(case)}.values()]
        if not _is_plain(near[0]):
            what = "no plain value for its path: give each parameter of it an example"
            self.left_out[label] = f"most cases with one odd member: {what}"
        passed = time.monotonic() - self._start
        waiting = sum(1 for _ in operation.schema.get_all_operations()) - len(self.begun)
        self.begun.append(label)
        self.untried[label] += len(cases)
        if _SECONDS:
            rate = self.cases / passed if self.cases > _LEAST else 200
            most = max(_LEAST, int(rate * (_SECONDS - passed) / max(1, waiting)))
            return cases[:most]
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
        refused = {
            label: dict(replies)
            for label, replies in self.valid_replies.items()
            if not any(200 <= status < 300 for status in replies)
        }
        results = {
            **server_report.RESULTS,
            "cases": self.cases,
            "left_out": {label: ", ".join(what) for label, what in left_out.items()},
            "never_accepted": refused,
            "covered": COVERAGE.export(),
        }
        Path(os.environ["FUZZ_COUNTS"]).write_text(json.dumps(results), "utf-8")


RUN = Run()
if os.environ.get("FUZZ_COUNTS"):
    atexit.register(RUN.write)
    # Each operation has little time for its cases. Hypothesis takes some of it for the first ones,
    # and keeps what it needed: now, before the time begins.
    _end = time.monotonic() + number("seconds", 0) / 10
    for _operation in operations(spec()) if _SECONDS else ():
        with suppress(Exception):  # It is told with the operation.
            cases_with_members(_operation)
        if time.monotonic() > _end:
            break
_around = threading.local()


def _written(case: AnyCase) -> AnyCase:
    """Write truths outside the body as JSON does: requests writes True."""

    def written(part: dict[str, Any]) -> dict[str, Any]:
        return {name: as_text(v) if isinstance(v, bool) else v for name, v in part.items()}

    return changed(case, **{name: written(getattr(case, name)) for name in GROUPS})


def _unwritten(case: AnyCase) -> dict[str, bool]:
    """Name the parts that no near case can hold, and tell of each whether it is required."""
    unwritten = {}
    found = doc.documented_parameters(case.operation.path, case.operation.definition.raw)
    for name, parameter in found.items():
        schema = parameter.get("schema", {})
        is_object = doc.allows_type(schema, "object")
        is_usual = parameter["in"] == "query" and parameter.get("explode", True)
        is_usual = is_usual and parameter.get("style", "form") == "form"
        is_open = is_object and not doc.named_members(schema)
        is_joined = (is_object or doc.allows_type(schema, "array")) and not is_usual
        if "content" in parameter or is_open or is_joined:
            unwritten[name] = bool(parameter.get("required"))
    if isinstance(case.body, dict) and not _is_json_or_form(case):
        unwritten[str(case.media_type)] = True
    return unwritten


def _is_json_or_form(case: AnyCase) -> bool:
    return doc.is_json(case.media_type) or doc.is_form(case)


def _without(case: AnyCase, names: Collection[str]) -> AnyCase:
    parts = {group: getattr(case, group).items() for group in GROUPS}
    kept = {group: {n: v for n, v in part if n not in names} for group, part in parts.items()}
    return changed(case, **kept)


def _is_plain(case: AnyCase) -> bool:
    """Tell whether schemathesis writes a case as it is. It escapes no cookie."""
    cookies = "".join(map(str, case.cookies.values()))
    return (
        has_plain_path(case)
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
    with _stopping():
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
        with _stopping():
            entered.__exit__(None, None, None)


@contextmanager
def _stopping() -> Iterator[None]:
    """End the run if the hook of the user raises: no case would be what it was meant to be."""
    try:
        yield
    except Exception as error:
        server_report.stop(f"--hooks: around_case raised {type(error).__name__}: {error}")
        raise


def _leave_out_target() -> None:
    """Take from Hypothesis the phase that looks for cases which a server rather accepts.

    It can take most of the time of an operation. The other phases stay as they are set.
    """
    shrink = is_shrunk(OWN_CONFIG if OWN_CONFIG.is_file() else CONFIG)
    phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])]
    # In CI, Hypothesis has a profile that ignores seeds.
    settings.register_profile(__name__, settings.get_profile("default"), phases=phases)
    settings.load_profile(__name__)


_leave_out_target()


@functools.cache
def _kind(title: str) -> type[Failure]:
    """Make a class of failures for each check and member: a known failure is told by its class."""
    return type(title, (Failure,), {"__slots__": (), "kind_title": title})


def _failure(check: str, member: str, case: AnyCase, message: str) -> Failure:
    return _kind(f"{check}: {member}")(operation=case.operation.label, message=message)


@schemathesis.check
def one_odd_member(ctx: schemathesis.CheckContext, response: Response, case: AnyCase) -> None:
    """Check that what the document allows is accepted, and the rest refused."""
    RUN.cases += 1
    keep(case, response)
    label, status = case.operation.label, response.status_code
    if case.meta is not None:
        RUN.phases.setdefault(label, set()).add(case.meta.phase.name.value)
        is_valid = case.meta.generation.mode.is_positive
    else:
        RUN.untried[label] -= 1
        is_valid = is_valid_as_text(case) and not broken_rules(case)
    if is_valid and case.method.upper() == case.operation.method.upper():
        RUN.valid_replies.setdefault(label, Counter())[status] += 1
    if case.meta is not None:
        return  # Schemathesis checks its own cases.
    if problem := _problem(case, response, is_valid=is_valid):
        outcomes = {2: "accepted", 5: "failed"}
        member = f"{_odd_member(case)} {outcomes.get(status // 100, 'refused')}"
        raise _failure("one_odd_member", member, case, problem)


def _problem(case: AnyCase, response: Response, *, is_valid: bool) -> str:
    """Say what is wrong with the reply to a near case; "" if nothing is."""
    label, status = case.operation.label, response.status_code
    is_taken = 200 <= status < 300
    if status >= 500 and not _odd_names(case):
        RUN.failing.add(label)  # Each of its cases fails: schemathesis says so once.
    if status >= 500:
        return "" if label in RUN.failing else f"The reply is {status}."
    if is_valid:
        is_right = is_taken or (not RULES and status in _REFUSALS)
        return "" if is_right else f"The document allows this request, and the reply is {status}."
    if is_taken:
        parts = doc.parts_of(case).values()
        why = next((str(e.message) for part in parts for e in doc.violations(case, *part)), "")
        return f"The document forbids this request, and the reply is {status}. {why}".strip()
    code = code_of_refusal(case) or next(iter(broken_rules(case).values()), None)
    said = doc.typed(response.content)
    is_right = code is None or said.get("code") == code
    return "" if is_right else f"The code must be {code}: {said}"


def _odd_member(case: AnyCase) -> str:
    names = _odd_names(case)
    return " and ".join(names) if 0 < len(names) <= _NAMED else "several members"


def _odd_names(case: AnyCase) -> list[str]:
    """Name what a near case has different from the valid case that it was made of."""
    base, given = (_values(one) for one in (RUN.bases[case.operation.label], case))
    return [name for name in {**base, **given} if base.get(name) != given.get(name)]


def _values(case: AnyCase) -> dict[str, str]:
    body = case.body if isinstance(case.body, dict) else {doc.BODY: case.body}
    return {name: repr(value) for name, value in {**doc.parameters(case), **body}.items()}


@schemathesis.check
def echo(ctx: schemathesis.CheckContext, response: Response, case: AnyCase) -> None:
    """Check that a success repeats what was sent, and a 201 also the defaults of what was not."""
    schema = doc.reply_schema(case, response.status_code)
    body = case.body
    if schema is None or not isinstance(body, dict) or not _is_json_or_form(case):
        return
    said = doc.typed(response.content)
    if not (200 <= response.status_code < 300 and isinstance(said, dict)):
        return
    written = as_text if doc.is_form(case) else doc.as_json
    is_new = response.status_code == HTTPStatus.CREATED
    wrong = [
        _failure("echo", name, case, f"{name} {why} {value!r}, and comes back as {back!r}.")
        for name, why, value, back in _repeated(
            doc.body_schema(case) or {}, schema, body, said, is_new=is_new
        )
        if written(back) != written(value)
    ]
    if wrong:
        raise FailureGroup(wrong)


def _repeated(
    sent: doc.Schema, told: doc.Schema, body: dict[str, Any], said: Any, *, is_new: bool
) -> Iterator[tuple[str, str, Any, Any]]:
    """List what a reply must repeat: the name, why, what was sent, and what came back."""
    others = {doc.plain_name(name): name for name in doc.named_members(told)}
    is_choice = any(word in part for part in doc.parts(sent) for word in ("anyOf", "oneOf"))
    for name, schema in doc.named_members(sent).items():
        schema = {**doc.resolved(schema), **schema}
        other = others.get(doc.plain_name(name))
        if other is None or schema.get("readOnly") or schema.get("writeOnly"):
            continue
        if name in body:
            why, value = "was sent as", body[name]
        elif is_new and "default" in schema and not is_choice:
            why, value = "has the default", schema["default"]
        else:
            continue
        back = said.get(other) if isinstance(said, dict) else None
        member = doc.named_members(told)[other]
        if isinstance(value, dict):
            for inner, *rest in _repeated(schema, member, value, back, is_new=is_new):
                yield f"{name}.{inner}", *rest
        elif _is_repeated(schema, member, value):
            yield name, why, value, back


def _is_repeated(sent: doc.Schema, said: doc.Schema, value: Any) -> bool:
    """Tell whether a value must come back unchanged: a server may rewrite a date or a URL."""
    kinds = [
        (one.get("type"), one.get("format")) for one in (doc.resolved(sent), doc.resolved(said))
    ]
    types = [{*kind} if isinstance(kind, list) else {kind} for kind, _ in kinds]
    plain = {"string", "boolean", "integer"}
    is_plain = isinstance(value, str | bool | int) and not any(form for _, form in kinds)
    return is_plain and bool(types[0] & types[1] & plain)
