"""What schemathesis takes for another request than the server gets: see schemathesis.toml."""

from typing import Any

import schemathesis

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_UNKNOWN = "x-schemathesis-unknown-property"


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out what is no violation on the wire, where schemathesis takes it for one."""
    return not _has_one_for_a_list(case) and not _has_unknown_header(case)


def _has_one_for_a_list(case: schemathesis.Case[Any]) -> bool:
    """Tell whether a form has a text in place of a list, which reads as a list of one."""
    kind = (case.media_type or "").partition(";")[0]
    found: Any = case.operation.get_body_for_media_type(case.media_type)
    if kind not in _FORMS or found is None or not isinstance(case.body, dict):
        return False
    members = found.form_properties
    lists = {name for name, schema in members.items() if "array" in schema.get("type", ())}
    return not all(isinstance(case.body[name], list) for name in lists & case.body.keys())


def _has_unknown_header(case: schemathesis.Case[Any]) -> bool:
    """Tell whether a header or cookie is one that no document names, as most of a request are."""
    return _UNKNOWN in (case.headers or {}) or _UNKNOWN in (case.cookies or {})
