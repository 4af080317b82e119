"""Offers: how each action is offered as a tool, whose arguments and answers follow from the OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.operations.actions import (
    AGGREGATE,
    CALL,
    CALL_ON_RECORD,
    CALL_ON_RECORDS,
    CREATE,
    DELETE,
    DELETE_BY_KEY,
    DELETE_MANY,
    DELTA,
    EXPORT,
    IMPORT,
    LOG_IN,
    READ,
    READ_BY_KEY,
    READ_MANY,
    SEARCH,
    UPDATE,
    UPDATE_MANY,
    UPSERT,
    Aspect,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """The tool that an action is.

    ``leaves_out`` are parameters that it has not, ``fixed`` those that are always sent. ``body`` is the argument that
    holds the body. ``wraps`` is the name under which a result is told where it has no names of its own; ``pages`` is
    that of the list of which a result has as many items as fit into an answer.
    """

    leaves_out: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    body: str = ""
    wraps: str = ""
    pages: str = ""


#: The offer of each action: ``offers(SEARCH)(Offer(…))``; None where it is no tool.
offers: Aspect[Offer | None] = Aspect("offers")

# By offset, which a model can reckon with, and with a count that is quick whatever there is.
offers(SEARCH)(
    Offer(
        leaves_out=frozenset({"paging", "cursor", "count"}),
        fixed=MappingProxyType({"count": "estimate"}),
        pages="records",
    )
)
offers(AGGREGATE)(Offer(pages="groups"))
offers(READ, READ_BY_KEY)(Offer(wraps="record"))
offers(DELTA)(Offer())
offers(READ_MANY)(Offer(leaves_out=frozenset({"atomic"}), wraps="records"))
offers(CREATE, UPDATE, UPSERT)(Offer(body="values", wraps="record"))
offers(DELETE, DELETE_BY_KEY)(Offer(wraps="deleted"))
offers(CALL, CALL_ON_RECORD)(Offer(body="arguments", wraps="result"))
# A write of an agent is about one record: so it can be shown whole, and is bound to the version that was shown.
offers(UPDATE_MANY, DELETE_MANY, CALL_ON_RECORDS)(None)
# Streams are for programs, and who calls a tool is logged in.
offers(EXPORT, IMPORT, LOG_IN)(None)
