"""Run 1: schemathesis against the mock."""

import json
import math

from schemathesis import Response
from signalwire_compat_fuzz import console, server_run
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.budget import left
from signalwire_compat_fuzz.case_sources import Operation, each_operation
from signalwire_compat_fuzz.console import counted
from signalwire_compat_fuzz.contract_coverage import COVERAGE
from signalwire_compat_fuzz.credentials import TOKEN
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.near_valid import changed, valid_case
from signalwire_compat_fuzz.options import EXAMPLES, SEED
from signalwire_compat_fuzz.report import Finding
from signalwire_compat_fuzz.upgrade import METHODS
from signalwire_compat_mock import MockServer

from tests.conftest import PROJECT, ROOT


def answer(case: AnyCase, server: MockServer, token: str = TOKEN) -> Response:
    with counted(case):
        reply = case.call(server.url + doc.BASE_PATH, auth=(PROJECT, token))
        assert reply.status_code in (404, 405) or doc.reply_key(case, reply.status_code)
        return reply


@each_operation
def test_a_method_and_a_content_type_of_no_operation_are_refused(
    operation: Operation, server: MockServer
) -> None:
    case = valid_case(operation)
    methods = {method for path, method, _ in doc.operations() if path == operation.path}
    for method in METHODS:
        if method not in methods:
            reply = answer(changed(case, method=method.upper()), server)
            assert reply.status_code == 405
            assert methods <= {*reply.headers["allow"][0].lower().split(", ")}
    taken = {doc.media_type(kind) for kind in doc.contents(case)}
    if doc.FORM in taken and doc.DOCUMENT["servers"][0].get("x-also-accepted", {}).get("json"):
        taken.add(doc.JSON)
    # What is asked for, so that nothing but the content type is wrong.
    asked = json.loads(json.dumps(case.body, default=str)) if isinstance(case.body, dict) else {}
    for kind in (doc.JSON, doc.FORM, doc.MULTIPART, "text/plain"):
        if taken and kind not in taken:
            body = "text" if kind == "text/plain" else asked or {"x": "y"}
            reply = answer(changed(case, media_type=kind, body=body), server)
            assert 400 <= reply.status_code < 500


@each_operation
def test_wrong_credentials_are_refused_as_the_document_says(
    operation: Operation, server: MockServer
) -> None:
    case = valid_case(operation)
    status = answer(case, server, "another-token").status_code
    assert (status == 401) == doc.is_secured(case)


def test_schemathesis_finds_nothing_in_the_mock(server: MockServer) -> None:
    server.reset()
    junit = ROOT / "reports" / "direct.xml"
    ended = server_run.run(
        server.url,
        *("--auth", f"{PROJECT}:{TOKEN}", "--report", "junit", "--report-junit-path", str(junit)),
        # A forgetful mock keeps nothing: what is deleted is there again. Samples repeat nothing.
        *("--exclude-checks", "use_after_free,echo"),
        seed=SEED,
        examples=EXAMPLES,
        seconds=0 if math.isinf(left()) else max(1, round(left())),
    )
    console.current.cases = len(server.journal)
    COVERAGE.merge(ended.results["covered"])
    if ended.status:
        findings = [Finding(*found) for found in ended.results["findings"]]
        found = "\n".join(f"{one.place}: {one.text}" for one in findings) or ended.output
        hint = "The curl commands work while `make mock FORGETFUL=1` runs."
        replay = f"To replay all of it:\n  {console.replay()}"
        report = f"schemathesis:\n{found}\n{hint} {replay}"
        error = AssertionError(report.replace(server.url, console.LOCAL))
        error.is_whole = True  # type: ignore[attr-defined]
        raise error
