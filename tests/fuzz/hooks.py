"""What schemathesis takes for another request than the server gets: see schemathesis.toml."""

from typing import Any

import schemathesis


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out a form with a text in place of a list: on the wire, that is a list of one."""
    kind = (case.media_type or "").partition(";")[0]
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return True
    found: Any = case.operation.get_body_for_media_type(case.media_type)
    if found is None or not isinstance(case.body, dict):
        return True
    members = found.form_properties
    lists = {name for name, schema in members.items() if "array" in schema.get("type", ())}
    return all(isinstance(case.body[name], list) for name in lists & case.body.keys())
