"""A checked request and its reply, as the handlers see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .contract import Contract, Operation
from .document import SpecError
from .sample_replies import sample_status

ACCOUNT = "AccountSid"
"""The path parameter that holds the account SID, in every operation of the API."""


@dataclass(frozen=True)
class Reply:
    """A reply that is not yet checked. `body` is None if no content is documented."""

    status: int
    body: Any = None


@dataclass(frozen=True)
class Call:
    """A request that passed every check. `parameters` are keyed by location, then by name."""

    contract: Contract
    operation: Operation
    parameters: Mapping[str, Mapping[str, Any]]
    body: Any

    @property
    def account_sid(self) -> str:
        """The account in the path. Errors: `SpecError` if the spec names none."""
        return self.text(self.parameters["path"], ACCOUNT)

    def text(self, values: Any, name: str) -> str:
        """Return one of `values` that the handler needs as text. Errors: `SpecError`."""
        if isinstance(values, Mapping) and isinstance(text := values.get(name), str):
            return text
        problem = f"it needs {name} as text, but the contract allows a request without it"
        raise SpecError(f"{problem}. Make it a required string in {self.contract.source}.")

    def query(self, name: str) -> Any:
        """Return a parameter of the query, its documented default, or None."""
        known = self.operation.parameters["query"].fields.get(name)
        return self.parameters["query"].get(name, known.default if known else None)

    def path(self, *names: str) -> str:
        """Return the path of something that belongs to the account, as the API writes it."""
        return "/".join((self.contract.base_path, "Accounts", self.account_sid, *names))

    def success(self, body: Any = None) -> Reply:
        """Reply with the documented success."""
        return Reply(sample_status(self.operation), body)
