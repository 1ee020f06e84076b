"""Compare two versions of the contract, and say what each difference means for callers.

An operation is known by its tag and operationId, which callers write; a field by its name. Changes
have the order of the document.
"""

from __future__ import annotations

import re
from typing import Any

from codegen.credentials import sent_ways
from codegen.document import is_account, resolved
from codegen.normal_form import normal
from codegen.servers import urls_of
from contract_diff.contract_calls import Node, Operation, callbacks, operations
from contract_diff.schemas import (
    Change,
    Changes,
    SchemaComparison,
    became,
    deprecation,
    paired,
    presence,
    unpaired,
)

# Of the content types of a reply, the client reads the first that matches.
_READABLE = re.compile(
    r"(text|image|audio|video|font)/.*|application/(octet-stream|pdf|zip|gzip|json|.*\+json)(;.*)?"
)

_COMPARED = {"digits": "by digits", "exact": "exactly"}


def changes(old: Node, new: Node) -> list[Change]:
    """List what changed in the contract, breaking or not."""
    return list(dict.fromkeys(_Comparison(normal(old), normal(new)).document()))


class _Comparison(SchemaComparison):
    def document(self) -> Changes:
        old, new = self.documents
        yield from _servers(old, new)
        before, after = operations(old), operations(new)
        yield from unpaired("", before, after, "operation")
        for name, one, other in paired("", before, after):
            yield from self._operation(name, one, other)
        yield from _error_categories(old, new)

    def _operation(self, name: str, old: Operation, new: Operation) -> Changes:
        routes = (f"{str(where[2]).upper()} {where[1]}" for where in (old.where, new.where))
        if old.where != new.where:
            yield Change(name, "changed", " became ".join(routes), False, on_wire=True)
        yield from deprecation(name, old.raw, new.raw)
        yield from _positions(name, old, new)
        parameters = list(self._parameters(name, old, new))
        yield from _with_moves(parameters, list(self._body(name, old, new)))
        yield from self._replies(name, old.replies, new.replies)
        yield from _repeats(name, *(side.raw.get("x-reply-repeats", {}) for side in (old, new)))
        yield from _pages(name, *(side.raw.get("x-pages", {}) for side in (old, new)))
        yield from _look_ups(name, *map(self._look_up, self.documents, (old, new)))
        ways = [*map(sent_ways, self.documents, (old.raw, new.raw))]
        if ways[0] != ways[1]:
            yield Change(name, "changed", "its credentials", False, on_wire=True)
        urls = ["".join(urls_of(side.raw)[:1]) for side in (old, new)]
        if urls[0] != urls[1]:
            what = became(*(url or "the server of the contract" for url in urls))
            yield Change(name, "changed", what, False, on_wire=True)
        before, after = map(callbacks, self.documents, (old, new))
        yield from unpaired(f"{name}: callback ", before, after)
        for where, one, other in paired(f"{name}: callback ", before, after):
            yield from self._callback(where, one, other)

    def _parameters(self, name: str, old: Operation, new: Operation) -> Changes:
        before, after = old.parameters, new.parameters
        required = [k for k, each in after.items() if each.get("required") and k != new.account]
        yield from unpaired(f"{name}: ", before, after, "argument", required)
        for where, one, other in paired(f"{name}: ", before, after):
            if is_account(one) != is_account(other):
                how = "now" if is_account(other) else "no longer"
                what = f"{how} the account of the client if left out"
                yield Change(where, "changed", what, is_account(one))
            if one["in"] != other["in"]:
                what = f"sent in the {other['in']}, not in the {one['in']}"
                yield Change(where, "changed", what, False, on_wire=True)
            for key in ("style", "explode"):
                if one.get(key) != other.get(key):
                    yield Change(where, "changed", f"{key} on the wire", False, on_wire=True)
            yield from self._declaration(where, one, other, True)

    def _declaration(self, where: str, old: Node, new: Node, sent: bool) -> Changes:
        """Compare the declarations of a parameter, which is sent, or of a header of a reply."""
        yield from deprecation(where, old, new)
        yield from presence(where, bool(old.get("required")), bool(new.get("required")), sent)
        yield from self.compare(where, old.get("schema", {}), new.get("schema", {}), sent)

    def _body(self, name: str, old: Operation, new: Operation) -> Changes:
        one, other = old.body, new.body
        required = bool(one.get("required")), bool(other.get("required"))
        if not one or not other:
            if one or other:
                kind = "added" if other else "removed"
                yield Change(name, kind, "the body of the request", bool(one) or required[1])
            return
        where = f"{name}: body"
        yield from presence(where, *required, True)
        before, after = one.get("content", {}), other.get("content", {})
        if list(before) != list(after):
            several = len(before) > 1 or len(after) > 1
            gone = bool(before.keys() - after.keys()) and several
            yield Change(where, "changed", _content_types(before, after), gone, on_wire=True)
        flat = bool(old.fields), bool(new.fields)
        if flat[0] != flat[1]:
            how = "as one argument, `body`", "as arguments of their own"
            what = f"its fields are passed {how[flat[1]]}, no longer {how[flat[0]]}"
            yield Change(where, "changed", what, True)
        pairs = [(before[kind], after[kind]) for kind in before if kind in after]
        if not pairs and before and after:
            pairs = [(next(iter(before.values())), next(iter(after.values())))]
        for first, second in pairs:
            yield from self.compare(name, first.get("schema", {}), second.get("schema", {}), True)

    def _replies(self, name: str, before: Node, after: Node) -> Changes:
        prefix = f"{name}: reply "
        for change in unpaired(prefix, before, after):
            yield change._replace(breaking=change.where.startswith(f"{prefix}2"))
        for where, one, other in paired(prefix, before, after):
            success = where.startswith(f"{prefix}2")
            yield from self._reply(where, one.get("content", {}), other.get("content", {}), success)
            headers, new_headers = (
                {key.lower(): resolved(self.documents[side], node) for key, node in found.items()}
                for side, found in enumerate((one.get("headers", {}), other.get("headers", {})))
            )
            yield from unpaired(f"{where}: header ", headers, new_headers)
            for place, first, second in paired(f"{where}: header ", headers, new_headers):
                yield from self._declaration(place, first, second, False)

    def _look_up(self, document: Node, operation: Operation) -> Node:
        """Find the link that says how to look for what became of a call."""
        for status, reply in operation.replies.items():
            for link in reply.get("links", {}).values() if status.startswith("2") else ():
                if "x-look-up" in resolved(document, link):
                    return resolved(document, link)
        return {}

    def _reply(self, where: str, old: Node, new: Node, success: bool) -> Changes:
        read = [next(filter(_READABLE.fullmatch, content), "") for content in (old, new)]
        if list(old) != list(new):
            what = _content_types(old, new)
            if read[0] != read[1]:
                what += f"; the client now reads {read[1] or 'nothing'}"
                breaking = success or bool(old)
            else:
                # The client asks for JSON alone; of text or bytes the server may send any.
                what += f"; the client still reads {read[0] or 'nothing'}"
                breaking = "json" not in read[0] and bool(new.keys() - old.keys())
            yield Change(where, "changed", what, breaking, on_wire=True)
        if read[0] == read[1] != "":
            first, second = old[read[0]].get("schema", {}), new[read[0]].get("schema", {})
            yield from self.compare(where, first, second, False)

    def _callback(self, where: str, old: Operation, new: Operation) -> Changes:
        """Compare what the provider sends to a callback."""
        yield from unpaired(f"{where}: ", old.parameters, new.parameters, "parameter")
        one, other = (body.get("content", {}) for body in (old.body, new.body))
        pairs = paired(f"{where}: ", old.parameters, new.parameters)
        pairs += [(where, first, second) for _, first, second in paired("", one, other)]
        for place, first, second in pairs:
            schemas = first.get("schema", {}), second.get("schema", {})
            yield from self.compare(place, *schemas, False)


def _repeats(name: str, *sides: Node) -> Changes:
    """Compare which argument each member of a reply repeats."""
    for member in dict.fromkeys((*sides[0], *sides[1])):
        rules = [side.get(member) for side in sides]
        if rules[0] != rules[1]:
            words = (r and f"{r['argument']} (compared {_COMPARED[r['compare']]})" for r in rules)
            what = f"the argument that it must repeat: {became(*words)}"
            yield Change(f"{name}: reply: {member}", "changed", what, False, on_wire=True)


def _pages(name: str, old: Node, new: Node) -> Changes:
    """Compare what iterating a result gives, and the way to the next page."""
    where = f"{name}: pages"
    if not old or not new:
        if old or new:
            kind, what = ("added", "now") if new else ("removed", "no longer")
            what = f"the result {what} leads to the next page"
            yield Change(where, kind, what, bool(old), on_wire=True)  # Its class is another one.
        return
    if old["items"] != new["items"]:
        yield Change(where, "changed", f"the items: {became(old['items'], new['items'])}", True)
    if old["next"] != new["next"]:
        what = f"the way to the next page: {became(old['next'], new['next'])}"
        yield Change(where, "changed", what, False, on_wire=True)


def _look_ups(name: str, old: Node, new: Node) -> Changes:
    """Compare how the client looks for what became of a call."""
    if old != new:
        kind = "changed" if old and new else "added" if new else "removed"
        what = "how the client finds out what became of a call without a reply"
        yield Change(f"{name}: look-up", kind, what, not new, on_wire=True)


def _positions(name: str, old: Operation, new: Operation) -> Changes:
    """Compare what the arguments without names, and the account, stand for."""
    before, after = old.positional, new.positional
    kept = [argument for argument in before if argument in new.parameters]
    if kept != [argument for argument in after if argument in kept]:
        words = (", ".join(names) or "none" for names in (before, after))
        yield Change(name, "changed", f"arguments without names: {became(*words)}", True)
    account = old.account
    was_field, is_field = (account in side.fields for side in (old, new))
    if account and account == new.account and was_field != is_field:
        meanings = "the account of the call", "a field of the body"
        what = f"now {meanings[is_field]}, no longer {meanings[was_field]}"
        yield Change(f"{name}: {account}", "changed", what, True)


def _with_moves(parameters: list[Change], body: list[Change]) -> Changes:
    """Report a parameter that became a field of the body, or the reverse, as one change."""
    for mine, others, what in (
        (parameters, body, "now a field of the body, no longer a parameter"),
        (body, parameters, "now a parameter, no longer a field of the body"),
    ):
        kinds = {(change.where, change.kind) for change in others}
        for change in mine:
            if change.kind == "removed" and (change.where, "added") in kinds:
                yield Change(change.where, "changed", what, True, on_wire=True)
            elif change.kind != "added" or (change.where, "removed") not in kinds:
                yield change


def _servers(old: Node, new: Node) -> Changes:
    before, after = (urls_of(side) or ["/"] for side in (old, new))
    if before[0] != after[0]:
        what = f"{before[0]} became {after[0]}: the client takes its path, callers name the host"
        yield Change("servers", "changed", what, False, on_wire=True)
    for change in unpaired("", before[1:], after[1:], "server"):
        what = f"{change.where}, which callers can pass as the host"
        yield Change("servers", change.kind, what, False)


def _error_categories(old: Node, new: Node) -> Changes:
    before, after = _categories(old), _categories(new)
    for where in dict.fromkeys((*before, *after)):
        names = before.get(where), after.get(where)
        if names[0] != names[1]:
            kind = "added" if where not in before else "changed" if where in after else "removed"
            # A code without a category has that of its status.
            breaking = kind != "added" or where.startswith("status")
            yield Change(where, kind, f"category {became(*names)}", breaking)


def _categories(document: Node) -> dict[str, Any]:
    error = document.get("components", {}).get("schemas", {}).get("Error", {})
    codes, categories = (error.get(f"x-error-{name}", {}) for name in ("codes", "categories"))
    found = {f"error code {code}": known.get("category") for code, known in codes.items()}
    for name, category in categories.items():
        found |= {f"status {status}": name for status in category["statuses"]}
    return found


def _content_types(old: Node, new: Node) -> str:
    return became(", ".join(old) or "nothing", ", ".join(new) or "nothing")
