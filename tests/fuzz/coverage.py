"""How much of openapi.yaml the cases reached: counted by tracecov, allowed values by hand."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tracecov
from signalwire_compat_mock import Exchange
from signalwire_compat_mock.contract import Contract
from signalwire_compat_mock.document import Document
from signalwire_compat_mock.loading import load_contract

from tests.conftest import ROOT

from .forms import Gap, is_askable

SPEC = ROOT / "openapi.yaml"
Value = tuple[str, str, str]
_KINDS = ("operations", "parameters", "keywords", "examples", "responses")


class Coverage:
    """The requests that were sent and the replies that came, held against the spec."""

    def __init__(self) -> None:
        """Begin with nothing covered."""
        self._map = tracecov.CoverageMap.from_path(SPEC)
        self._values: set[Value] = set()
        self._contract = load_contract(SPEC)
        self._allowed = _allowed_values(self._contract)

    def record(self, exchange: Exchange) -> None:
        """Count one exchange, if it is one of an operation."""
        if exchange.operation_id is None:
            return
        url = f"http://localhost{exchange.path}" + f"?{exchange.query}" * bool(exchange.query)
        request = tracecov.HttpRequest(exchange.method, url, exchange.body, dict(exchange.headers))
        headers = {"content-type": "application/json"}
        self._map.record(
            request, tracecov.HttpResponse(exchange.status, 0.0, exchange.reply_body, headers)
        )
        if exchange.status < 300:
            members = exchange.form or [(n, str(v)) for n, v in _members(exchange.json)]
            self._values.update((exchange.operation_id, name, text) for name, text in members)

    def export(self) -> dict[str, Any]:
        """Write it as values that a worker can pass on."""
        allowed = self._allowed & self._values
        return {"counts": self._map.export_counts().hex(), "values": json.dumps(sorted(allowed))}

    def merge(self, exported: dict[str, Any]) -> None:
        """Add what another worker covered."""
        self._map.merge_counts(bytes.fromhex(exported["counts"]))
        self._values |= {tuple(value) for value in json.loads(exported["values"])}

    def gaps(self) -> list[str]:
        """Name everything in the spec that no case reached, though one can."""
        gaps = [" ".join(map(str, gap.values())) for gap in self._told()[0]]
        missing = sorted(self._allowed - self._values)
        return gaps + [f"{op}: {name}={text} was never accepted" for op, name, text in missing]

    def summary(self) -> str:
        """Say in one line what part of each kind was reached, without what no case can reach."""
        counts = self._map.build_json_report()["summary"]
        told, left_out = self._told()
        whole = {_parameter(gap) for gap in left_out} - {_parameter(gap) for gap in told}
        reached = {kind: counts[kind]["covered"] for kind in _KINDS}  # type: ignore[literal-required]
        total = {kind: counts[kind]["total"] for kind in _KINDS}  # type: ignore[literal-required]
        reached["parameters"] += len(whole)
        total["keywords"] -= len(left_out)
        parts = [f"{reached[kind]}/{total[kind]} {kind}" for kind in _KINDS]
        taken = f"{len(self._allowed & self._values)}/{len(self._allowed)} allowed values"
        return ", ".join([*parts, taken])

    def _told(self) -> tuple[list[Gap], list[Gap]]:
        """List the gaps, and those that are none: no case can fill them."""
        told: list[Gap] = []
        left_out: list[Gap] = []
        for gap in map(dict, self._map.coverage_gaps()):
            (told if is_askable(self._contract, gap) else left_out).append(gap)
        return told, left_out

    def save(self, path: Path) -> None:
        """Write the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._map.save_html_report(output_file=str(path), title="signalwire-compat")


def _parameter(gap: Gap) -> tuple[Any, ...]:
    return tuple(gap.get(name) for name in ("method", "path", "location", "parameter"))


def _allowed_values(contract: Contract) -> set[Value]:
    """List operation, member and value of everything that a request may choose from."""
    found: set[Value] = set()
    for operation in contract.operations.values():
        for media in operation.body.media.values() if operation.body else ():
            pointers = contract.document.properties(f"{media.pointer}/schema")
            for name, pointer in pointers.items():
                found |= {(operation.id, name, v) for v in _enum(contract.document, pointer)}
    return found


def _enum(document: Document, pointer: str) -> list[str]:
    return [str(v) for _, part in document.parts(pointer) for v in part.get("enum", [])]


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else ()
