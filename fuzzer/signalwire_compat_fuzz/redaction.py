"""No report shows the credentials of a user: a printed command reads them from variables."""

import base64
import re

from .options import setting

HIDDEN = "[Filtered]"
_LEAST = 6
"""Characters of a value that is hidden wherever it stands: a shorter one may be a part of words."""


def redacted(text: str) -> str:
    """Hide credentials, also where a server repeats them."""
    auth = setting("auth")
    values = [auth, auth.partition(":")[2]]
    for header in setting("header").splitlines():
        value = header.partition(":")[2].strip()
        values += [value, *value.split()]
    hidden = {value for value in values if len(value) >= _LEAST}
    if auth:
        hidden.add(base64.b64encode(auth.encode()).decode())
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def with_variables(curl: str) -> str:
    """Let a curl line read its credentials from the variables of the command."""
    if setting("auth"):
        pattern = rf"-H 'Authorization: (Basic )?{re.escape(HIDDEN)}'"
        curl = re.sub(pattern, '-u "$FUZZ_AUTH"', curl)
    if len(headers := setting("header").splitlines()) == 1:
        name = re.escape(headers[0].partition(":")[0].strip())
        pattern = rf"-H '{name}: [^']*{re.escape(HIDDEN)}'"
        curl = re.sub(pattern, '-H "$FUZZ_HEADER"', curl, flags=re.IGNORECASE)
    return curl


def variables_lines() -> list[str]:
    """Say where printed commands read credentials from; of several headers, they read none."""
    lines = ["These lines read credentials from FUZZ_AUTH."] if setting("auth") else []
    if headers := setting("header").splitlines():
        one, more = "These lines read a header from FUZZ_HEADER.", f"Put headers for {HIDDEN}."
        lines.append(one if len(headers) == 1 else more)
    return lines
