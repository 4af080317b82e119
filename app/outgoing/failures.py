"""Failures of requests to others, in sentences: without what is ours alone, as files, lines and addresses."""

from __future__ import annotations

import ssl

import httpcore

from app.outgoing.destinations import Refused


def sentence(error: Exception) -> str | None:
    """Return an error in a sentence; None for one that nobody expects."""
    cause = error.args[0] if error.args else None  # httpcore's errors hold those that they stand for
    if isinstance(error, Refused):
        return str(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"The server's certificate is not good: {cause.verify_message.rstrip('.')}."
    if isinstance(cause, ssl.SSLError):
        return "No TLS could be agreed upon with the server."
    if isinstance(error, (httpcore.ConnectError, httpcore.ConnectTimeout)):
        return "No connection to the server could be made."
    if isinstance(error, httpcore.RemoteProtocolError):
        return "The server closed the connection, or answered with something else than HTTP."
    if isinstance(error, (httpcore.NetworkError, ssl.SSLError)):
        return "The connection broke before there was an answer."
    if isinstance(error, (httpcore.LocalProtocolError, UnicodeError)):
        return "A header of the request has characters that HTTP does not allow."
    return None
