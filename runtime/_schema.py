"""What the contract asks of a value: checked before a request, looked over in a reply."""

from __future__ import annotations

import functools
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from attrs import Attribute, Factory, field, fields, frozen

from ._errors import InvalidRequestError
from ._values import File, Unset, encode

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_TIME = re.compile(
    _DATE.pattern + r"[Tt ](?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_FORMATS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "uuid": ("a UUID", _UUID.fullmatch),
    "uri": ("a URL with its scheme, in ASCII", _URI.fullmatch),
    "date": ("a date such as 2026-01-31", _DATE.fullmatch),
    "date-time": ("a time such as 2026-01-31T12:00:00Z", _TIME.fullmatch),
    "email": ("an e-mail address", re.compile(r"[^@\s]+@[^@\s]+").fullmatch),
}
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: _is_number(value) and value == value // 1),
    "number": ("a number", lambda value: _is_number(value)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "null": ("null", lambda value: value is None),
    "file": ("a File", lambda value: isinstance(value, File)),
}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
    "file": (File,),
}
_MISSING: Any = object()
# Not before it is used; what re keeps takes three times as long to find.
_compiled = functools.lru_cache(maxsize=1024)(functools.partial(re.compile, flags=re.ASCII))
Place = tuple[str | int, ...]


class Misfit(NamedTuple):
    """A value that the contract does not allow: its place, what belongs there, what came."""

    place: Place
    expected: str
    came: Any

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.place)
        return "".join(f"/{step}" for step in steps)

    @property
    def shown(self) -> str:
        """What came, for people: short, on one line."""
        return shown(self.came)

    @property
    def problem(self) -> str:
        """The misfit in words for the caller of an operation."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)
        name = "".join(steps).removeprefix(".") or "what is given"
        if self.came is _MISSING:
            return f"{name} is missing: it must be {self.expected}"
        return f"{name} must be {self.expected}, got {self.shown}"


class _Found(list[Misfit]):
    """Misfits, and what the rules that hold themselves have said, each once at each place.

    Options that lead to one rule would else ask it again at each level, twice as often each time.
    """

    def __init__(self, said: dict[tuple[int, Place], tuple[_Found, Any]]) -> None:
        self.said = said


@frozen(kw_only=True, eq=False)
class Rule:
    """What one schema asks of a value.

    Source: the keywords of JSON Schema, `pattern` as Python has it; `must_be` is the pattern in
    words. Keywords that are left out ask nothing. `again` names a rule that holds itself; alone,
    it stands for that rule until both are `tied`.
    """

    kinds: tuple[str, ...] = ()
    enum: tuple[Any, ...] | None = None
    pattern: str | None = None
    must_be: str | None = None
    format: str | None = None
    min_length: int = 0
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    multiple_of: float | None = None
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    items: Rule | None = None
    members: Mapping[str, Rule] = {}
    required: tuple[str, ...] = ()
    closed: bool = False
    others: Rule | None = None
    any_of: tuple[Rule, ...] = ()
    all_of: tuple[Rule, ...] = ()
    again: str | None = None
    _plain: frozenset[type] = field(
        init=False, repr=False, default=Factory(lambda self: _plain(self), takes_self=True)
    )
    _text: Callable[[str], Any] | None = field(
        init=False, repr=False, default=Factory(lambda self: _text(self), takes_self=True)
    )
    _flat: bool = field(
        init=False, repr=False, default=Factory(lambda self: _flat(self), takes_self=True)
    )
    _unruled: set[str] = field(
        init=False,
        repr=False,
        default=Factory(lambda self: {*self.required} - self.members.keys(), takes_self=True),
    )

    @staticmethod
    def tied(rule: Rule, named: Mapping[str, Rule]) -> Rule:
        """Put the rules that are named in the place of each `Rule(again=name)`, however deep."""
        put = object.__setattr__

        def found(rule: Rule | None) -> Rule | None:
            if rule is None or rule.again is not None:
                return named[rule.again] if rule and rule.again else None
            put(rule, "items", found(rule.items))
            put(rule, "others", found(rule.others))
            put(rule, "members", {name: found(member) for name, member in rule.members.items()})
            put(rule, "any_of", tuple(map(found, rule.any_of)))
            put(rule, "all_of", tuple(map(found, rule.all_of)))
            return rule

        rules = [found(each) for each in (rule, *named.values())]
        for name, each in named.items():
            put(each, "again", name)
        return rules[0] or rule

    def __getitem__(self, name: str) -> Rule:
        """Give the rule for a member."""
        return self.members[name]

    def __call__(self, instance: Any, attribute: Attribute[Any], value: Any) -> None:
        """Validate an attribute of a model, and name all broken ones of it at once."""
        if isinstance(value, Unset):
            return
        own = self.misfits(encode(value), (attribute.name,))
        if not own:
            return
        problems = []
        for member in fields(type(instance)):
            given = getattr(instance, member.name)
            if member.name == attribute.name:
                problems += [misfit.problem for misfit in own]
            elif isinstance(member.validator, Rule) and not isinstance(given, Unset):
                misfits = member.validator.misfits(encode(given), (member.name,))
                problems += [misfit.problem for misfit in misfits]
        raise InvalidRequestError("; ".join(problems), problems=problems)

    def misfits(self, value: Any, place: Place = ()) -> list[Misfit]:
        """Find all that does not fit in a value that is to be sent."""
        if self._flat and type(value) is dict and self._has_plain_members(value):
            return []
        found = _Found({})
        try:
            self._read(value, place, found, strict=True)
        except RecursionError:
            found.append(Misfit(place, "nested less deep", value))
        return found

    def read(self, value: Any) -> tuple[Any, list[Misfit]]:
        """Look a value over that was received, as JSON.

        What can be converted without doubt is; what can't is kept as it came. An absent member
        that may be null is no misfit.
        """
        found = _Found({})
        return self._read(value, (), found, strict=False), found

    def _read(
        self, value: Any, place: Place, found: _Found, *, strict: bool, once: bool = False
    ) -> Any:
        kind, fits = type(value), self._text
        if (kind in self._plain or (kind is str and fits and fits(value))) and (
            not strict or kind is not str or value.isascii()
        ):
            return value
        if self.again and not once:
            return self._read_once(value, place, found, strict=strict)
        if self.any_of:
            value = self._read_any(value, place, found, strict=strict)
        for rule in self.all_of:
            value = rule._read(value, place, found, strict=strict)
        if strict and isinstance(value, str) and (character := _half_pair(value)):
            what = f"text that can be sent (character {character} is half of a surrogate pair)"
            found.append(Misfit(place, what, value))
            return value
        if not self._allows(value):
            found.append(Misfit(place, self.words, value))
            return value if strict else self._converted(value)
        if isinstance(value, dict):
            if strict and self._has_plain_members(value):
                return value
            return self._read_members(value, place, found, strict=strict)
        if isinstance(value, list) and self.items:
            rule = self.items
            read = [
                rule._read(item, (*place, index), found, strict=strict)
                for index, item in enumerate(value)
            ]
            return value if strict else read
        return value

    def _has_plain_members(self, value: dict[str, Any]) -> bool:
        """Whether every member fits at first sight, as in most requests."""
        for name, given in value.items():
            rule = self.members.get(name)
            if rule is None or type(given) is not str or not given.isascii():
                return False
            if str not in rule._plain and not (rule._text and rule._text(given)):
                return False
        return all(map(value.__contains__, self.required))

    def _read_once(self, value: Any, place: Place, found: _Found, *, strict: bool) -> Any:
        key = id(self), place
        if key not in found.said:
            inner = _Found(found.said)
            found.said[key] = inner, self._read(value, place, inner, strict=strict, once=True)
        misfits, read = found.said[key]
        told = set(map(id, found)) if misfits else ()
        found += [misfit for misfit in misfits if id(misfit) not in told]
        return read

    def _read_any(self, value: Any, place: Place, found: _Found, *, strict: bool) -> Any:
        options = [rule for rule in self.any_of if rule._is_kind(value)]
        attempts = []
        for rule in options:
            misfits = _Found(found.said)
            attempts.append((misfits, rule._read(value, place, misfits, strict=strict)))
        if not attempts:
            found.append(Misfit(place, self.words, value))
            return value
        misfits, value = min(attempts, key=lambda attempt: len(attempt[0]))
        found += misfits
        return value

    def _read_members(
        self, value: dict[str, Any], place: Place, found: _Found, *, strict: bool
    ) -> dict[str, Any]:
        result = value
        members = self.members
        if strict:
            looked_at = [name for name in members if name in value or name in self.required]
        else:
            given_of = value.get
            # What _read says at once, without a call for each member.
            looked_at = [
                name
                for name, rule in members.items()
                if type(given := given_of(name, _MISSING)) not in rule._plain
                and not (type(given) is str and rule._text and rule._text(given))
            ]
        for name in looked_at:
            rule, given = members[name], value.get(name, _MISSING)
            if given is _MISSING:
                if name in self.required and (strict or not rule._allows(None)):
                    found.append(Misfit((*place, name), rule.words, _MISSING))
            elif not isinstance(given, Unset):
                read = rule._read(given, (*place, name), found, strict=strict)
                if read is not given:
                    result = {**result, name: read}
        for name in value.keys() - self.members.keys() if self.closed or self.others else ():
            if self.others:
                self.others._read(value[name], (*place, name), found, strict=strict)
            else:
                found.append(Misfit((*place, name), "left out: it is not known", value[name]))
        for name in sorted(self._unruled - value.keys()) if self._unruled else ():
            found.append(Misfit((*place, name), "given", _MISSING))
        return result

    def _is_kind(self, value: Any) -> bool:
        if not self.kinds or type(value) in _TYPES[self.kinds[0]]:
            return True
        return any(_KINDS[kind][1](value) for kind in self.kinds)

    def _allows(self, value: Any) -> bool:
        """Whether the value itself fits, its members and items apart."""
        if not self._is_kind(value):
            return False
        if self.enum is not None and not any(_same(value, allowed) for allowed in self.enum):
            return False
        if isinstance(value, dict):
            return True
        if isinstance(value, str):
            return self._allows_text(value)
        if isinstance(value, list):
            fits = self.max_items is None or len(value) <= self.max_items
            return fits and self.min_items <= len(value) and not (self.unique and _repeats(value))
        return not _is_number(value) or self._allows_number(value)

    def _allows_text(self, value: str) -> bool:
        return (
            self.min_length <= len(value)
            and (self.max_length is None or len(value) <= self.max_length)
            and (self.pattern is None or _compiled(self.pattern).search(value) is not None)
            and (self.format is None or _FORMATS[self.format][1](value) is not None)
        )

    def _allows_number(self, value: float) -> bool:
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.multiple_of is None or _is_multiple(value, self.multiple_of))
        )

    def _converted(self, value: Any) -> Any:
        if isinstance(value, str):
            if "boolean" in self.kinds and value in ("true", "false"):
                return value == "true"
            if "integer" in self.kinds and re.fullmatch("-?[0-9]{1,18}", value):
                return int(value)
        elif "string" in self.kinds and _is_number(value):
            return json.dumps(value)
        return value

    @property
    def words(self) -> str:
        """What a value must be, to follow "must be"."""
        if self.enum is not None:
            return " or ".join(shown(value) for value in self.enum)
        if self.any_of and not self.kinds:
            return " or ".join(dict.fromkeys(rule.words for rule in self.any_of))
        null = " or null" if "null" in self.kinds and len(self.kinds) > 1 else ""
        if self.must_be:
            return self.must_be + null
        if self.format:
            return _FORMATS[self.format][0] + null
        kinds = [_KINDS[kind][0] for kind in self.kinds if kind != "null" or not null]
        return (" or ".join(kinds) or "allowed") + "".join(self._limits()) + null

    def _limits(self) -> Iterator[str]:
        if self.min_length or self.max_length is not None:
            yield f" of {_range(self.min_length, self.max_length)} characters"
        if self.pattern is not None:
            yield f" that matches {self.pattern}"
        if self.min_items or self.max_items is not None:
            yield f" of {_range(self.min_items, self.max_items)} items"
        if self.unique:
            yield " without repetitions"
        for word, limit in (
            ("at least", self.minimum),
            ("at most", self.maximum),
            ("above", self.above),
            ("below", self.below),
            ("a multiple of", self.multiple_of),
        ):
            if limit is not None:
                yield f", {word} {limit}"


def checked(operation: str, *pairs: tuple[Any, Rule]) -> dict[str, Any]:
    """Check what an operation was given, part by part, and give it back as one object.

    Errors: `InvalidRequestError` that names every value that the contract does not allow.
    """
    arguments: dict[str, Any] = {}
    problems: list[str] = []
    for given, rule in pairs:
        members = encode(given)
        if not isinstance(members, dict):
            members, rule = {"body": members}, Rule(members={"body": rule}, required=("body",))
        if members is given:  # Parameters, one by one, as they were given.
            members = {
                name: value if type(value) is str else _json(value)
                for name, value in given.items()
                if not isinstance(value, Unset)
            }
        arguments.update(members)
        problems += [misfit.problem for misfit in rule.misfits(members)]
    if problems:
        arguments = {name: _kept(value) for name, value in arguments.items()}
        raise InvalidRequestError(
            "; ".join(problems), operation=operation, arguments=arguments, problems=problems
        )
    return arguments


def shown(value: Any) -> str:
    """Write a value for people: short, on one line, its type where that may be the mistake."""
    if type(value) is str:
        text = json.dumps(value, ensure_ascii=False)
    elif value is None or isinstance(value, bool | str):  # A text with a repr of its own.
        text = repr(value)
    elif value is _MISSING:
        text = "nothing"
    else:
        try:
            text = f"{type(value).__name__} {value!r}"
        except Exception:  # It is nested too deep, has too many digits, or its class is broken.
            text = type(value).__name__
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= 40 else f"{text[:30]}...{text[-7:]}"


def _plain(rule: Rule) -> frozenset[type]:
    """Find the types whose every value fits, received as JSON, so that one look at it is enough."""
    if rule.any_of or rule.all_of or rule.enum is not None:
        return frozenset()
    asks: dict[type, Any] = {
        str: _text_limits(rule),
        list: rule.min_items or rule.max_items is not None or rule.unique or rule.items,
        dict: rule.members or rule.required or rule.closed or rule.others,
    }
    limits = (rule.minimum, rule.maximum, rule.above, rule.below, rule.multiple_of)
    asks[int] = asks[float] = any(limit is not None for limit in limits)
    return frozenset(
        kind for name in rule.kinds or _KINDS for kind in _TYPES[name] if not asks.get(kind)
    )


def _text(rule: Rule) -> Callable[[str], Any] | None:
    """Find what says of a text that it fits, and that nothing else has a say; None if nothing."""
    if rule.kinds[:1] != ("string",) or rule.any_of or rule.all_of:
        return None
    limits = _text_limits(rule)
    if rule.enum is not None:
        texts = frozenset(value for value in rule.enum if isinstance(value, str))
        return None if limits else texts.__contains__
    return _FORMATS[rule.format][1] if rule.format and len(limits) == 1 else rule._allows_text


def _flat(rule: Rule) -> bool:
    """Whether of an object nothing but its members has a say."""
    return rule.kinds[:1] == ("object",) and not (
        rule.any_of or rule.all_of or rule.enum is not None
    )


def _text_limits(rule: Rule) -> list[Any]:
    limits = (rule.pattern, rule.format, rule.min_length or None, rule.max_length)
    return [limit for limit in limits if limit is not None]


def _kept(value: Any) -> Any:
    """Give a value as an exception can hold it: what can't be pickled, in words."""
    try:
        pickle.dumps(value)
    except Exception:  # Whatever its class likes to raise.
        return shown(value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: Any) -> Any:
    try:
        return encode(value)
    except InvalidRequestError:  # The rule says what is wrong with it.
        return value


def _is_multiple(value: float, of: float) -> bool:
    """Divide as decimals are written: in binary, 19.99 is no multiple of 0.01."""
    return math.isfinite(value) and Fraction(str(value)) % Fraction(str(of)) == 0


def _same(value: Any, allowed: Any) -> bool:
    return isinstance(value, bool) == isinstance(allowed, bool) and bool(value == allowed)


def _half_pair(value: str) -> int:
    """Give the number of the first character that UTF-8 can't write; 0 if there is none."""
    if value.isascii():
        return 0
    return next((n for n, character in enumerate(value, 1) if "\ud800" <= character <= "\udfff"), 0)


def _repeats(items: list[Any]) -> bool:
    written = [json.dumps(item, sort_keys=True, default=repr) for item in items]
    return len(set(written)) < len(written)


def _range(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}" if least < most else f"{most}"
