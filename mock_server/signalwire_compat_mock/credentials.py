"""Checks of the credentials of a request."""

import hmac
from collections.abc import Iterator
from urllib.parse import unquote

from .contract import CREDENTIALS, Scheme
from .parsing import Incoming, ParseError, basic_credentials, decode_pairs
from .request_checks import UUID, Refusal

_MISSING = "The credentials are missing: send"
_WRONG = "is not the API token that this mock accepts."


def authorize(
    incoming: Incoming, ways: tuple[tuple[Scheme, ...], ...], token: str, *, has_account: bool
) -> str:
    """Return the user name of HTTP Basic, in lower case, if a request has all of one of the ways.

    With `has_account`, it must be a Project ID. Errors: `Refusal` with 20003.
    """
    problems = []
    for way in ways:
        try:
            users = [_user(incoming, scheme, token, has_account=has_account) for scheme in way]
        except Refusal as refusal:
            problems.append(refusal.message)
        else:
            return "".join(users)
    raise Refusal(CREDENTIALS, " Or else: ".join(dict.fromkeys(problems)))


def _user(incoming: Incoming, scheme: Scheme, token: str, *, has_account: bool) -> str:
    if scheme.kind == "basic":
        return find_project(incoming, token, any_user=not has_account)
    what = f"the {scheme.kind} {scheme.name}" if scheme.name else "a bearer token"
    try:
        values = list(_values(incoming, scheme))
    except ParseError:
        values = []
    if not values:
        raise Refusal(CREDENTIALS, f"{_MISSING} {what}.")
    if len(values) != 1 or not _is_same(values[0], token):
        raise Refusal(CREDENTIALS, f"{what[0].upper()}{what[1:]} {_WRONG}")
    return ""


def _values(incoming: Incoming, scheme: Scheme) -> Iterator[str]:
    if scheme.kind == "bearer":
        for value in incoming.header("authorization"):
            word, _, text = value.partition(" ")
            yield text.strip() if word.lower() == "bearer" else ""
    elif scheme.kind == "header":
        yield from incoming.header(scheme.name)
    elif scheme.kind == "query":
        pairs = decode_pairs(incoming.query.encode())
        yield from (text for name, text in pairs if name == scheme.name)
    else:
        pairs = list(incoming.parameters("cookie", {}, ()))
        yield from (unquote(text) for name, text in pairs if name == scheme.name)


def find_project(incoming: Incoming, token: str, *, any_user: bool = False) -> str:
    """Return the Project ID of HTTP Basic, in lower case, or any user name; check the password.

    Errors: `Refusal` with 20003.
    """
    values = incoming.header("authorization")
    user, password = (len(values) == 1 and basic_credentials(values[0])) or (None, "")
    if not values:
        pair = "user name and password" if any_user else "Project ID and token"
        problem = f"{_MISSING} HTTP Basic, {pair}."
    elif user is None:
        problem = "The header Authorization is not HTTP Basic."
    elif not any_user and not UUID.fullmatch(user):
        problem = "The user name is not a Project ID, which is a UUID."
    elif not _is_same(password, token):
        problem = f"The password {_WRONG}"
    else:
        return user.lower()
    raise Refusal(CREDENTIALS, problem)


def _is_same(text: str, token: str) -> bool:
    return hmac.compare_digest(text.encode(errors="surrogateescape"), token.encode())
