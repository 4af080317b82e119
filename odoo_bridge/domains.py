"""Refusals of domains: whether a search fails for its domain, or for a record rule or a computed value beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg2
from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError
from psycopg2 import errors as pg

from .errors import BridgeError, InvalidValue
from .translation import OUT_OF_RANGE, RETRYABLE, is_lost_connection

#: What PostgreSQL says to conditions whose values don't fit the field.
_MISFITS = (
    *OUT_OF_RANGE,
    pg.AmbiguousFunction,
    pg.CannotCoerce,
    pg.DatatypeMismatch,
    pg.IndeterminateDatatype,
    pg.SyntaxError,
    pg.UndefinedFunction,
)
#: What a condition is refused with that is no one's mistake in it: rights, and what is away.
_NOT_ITS_FAULT = (BridgeError, AccessError, AccessDenied, OSError, *RETRYABLE)


def refusals(records: Any, domain: Sequence[Any]) -> AbstractContextManager[None]:
    """Raise InvalidValue for whatever Odoo refuses the domain with while the block searches ``records``' model by it.

    Computed fields decide by themselves which conditions they take, and by which exception they refuse others. What
    the code of a record rule or of a field's value raises meanwhile passes through, as do lost rights and connections.
    Values that PostgreSQL refuses are put down to the domain.
    """
    return _refusals(records, domain) if domain else nullcontext()


@contextmanager
def _refusals(records: Any, domain: Sequence[Any]) -> Iterator[None]:
    try:
        yield
    except _NOT_ITS_FAULT:
        raise
    except psycopg2.Error as error:
        if is_lost_connection(error) or not _is_misfit(error):
            raise
        raise InvalidValue(_SENTENCE, name="invalid_domain") from error
    except Exception as error:
        if records.env.cr.closed or not _is_to_blame(records, domain):
            raise
        raise InvalidValue(_told(error), name="invalid_domain") from error


_SENTENCE = "Odoo refuses the domain: a condition on one of the fields has an operator or a value that doesn't fit it."


def _told(error: Exception) -> str:
    """Return the message for the client: Odoo's sentence where it is meant for people and names no record."""
    if isinstance(error, (UserError, NotImplementedError)) and not isinstance(error, MissingError) and error.args:
        return f"Odoo refuses the domain: {error}"
    return _SENTENCE


def _is_misfit(error: psycopg2.Error) -> bool:
    """True if a statement failed because of the values in it; without a code it was never sent (can't adapt)."""
    return isinstance(error, _MISFITS) or (isinstance(error, psycopg2.ProgrammingError) and error.pgcode is None)


def _is_to_blame(records: Any, domain: Sequence[Any]) -> bool:
    """True if a search can't be made ready with the domain, but can without: then no rule and no value is at fault."""
    try:
        records._search([])
    except Exception:  # noqa: BLE001  a rule's code can raise anything
        return False
    try:
        records._search(list(domain))
    except psycopg2.Error:
        return False
    except Exception:  # noqa: BLE001  so can a field's search
        return True
    return False
