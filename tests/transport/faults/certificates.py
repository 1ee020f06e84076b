"""Certificates for a server on a loopback address, made anew in each process."""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import ssl
from collections.abc import Iterator
from typing import Any

import trustme


@functools.cache
def _authority() -> trustme.CA:
    return trustme.CA()


@functools.cache
def server_context(kind: str) -> ssl.SSLContext:
    """Make the TLS settings of a server.

    Shape: `kind` is `good`, `expired`, `other-name`, `stranger` for an unknown authority, or
    `wants-certificate` for a server that wants one of the client.
    """
    authority = trustme.CA() if kind == "stranger" else _authority()
    name = "elsewhere.invalid" if kind == "other-name" else "127.0.0.1"
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    expiry: dict[str, Any] = {"not_before": past, "not_after": past + datetime.timedelta(days=30)}
    certificate = authority.issue_cert(name, **(expiry if kind == "expired" else {}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if kind == "wants-certificate":
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextlib.contextmanager
def trusted_by_environment() -> Iterator[None]:
    """Let the environment name our authority as the only one that is trusted."""
    before = os.environ.get("SSL_CERT_FILE")
    with _authority().cert_pem.tempfile() as path:
        os.environ["SSL_CERT_FILE"] = path
        try:
            yield
        finally:
            del os.environ["SSL_CERT_FILE"]
            if before is not None:
                os.environ["SSL_CERT_FILE"] = before
