"""Order of a model's fields for an admin who chooses some: what tells most of a record first, Odoo's matters last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from odoo_bridge.types import FieldInfo

#: Fields of many models that callers mostly ask for, in this order.
_WELL_KNOWN = (
    *("name", "email", "phone", "mobile", "code", "reference", "ref", "default_code", "barcode", "date", "state"),
    *("stage_id", "partner_id", "user_id", "company_id", "street", "street2", "zip", "city", "state_id", "country_id"),
    *("vat", "website", "lang", "quantity", "price", "list_price", "amount_total", "currency_id", "description"),
    *("note", "active"),
)
#: Fields of chatter, activities, ratings and access, which Odoo's own pages need, and of its own bookkeeping.
_TECHNICAL = ("activity_", "message_", "website_message", "my_activity", "has_message", "rating_", "access_")
_LOG = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date", "parent_path", "display_name"})


def is_technical(field: FieldInfo) -> bool:
    """True if a field says nothing about the record itself."""
    return field.name in _LOG or field.name.startswith(_TECHNICAL)


def by_importance(fields: Iterable[FieldInfo], suggested: Sequence[str]) -> list[FieldInfo]:
    """Return fields with those that are suggested first, then well-known, stored, computed and technical ones.

    The first of ``suggested`` stays the first.
    """
    places = {name: number for number, name in enumerate(suggested)}
    known = {name: number for number, name in enumerate(_WELL_KNOWN)}

    def rank(field: FieldInfo) -> tuple[int, int, int, str]:
        place, familiar = places.get(field.name), known.get(field.name, len(known))
        if place is not None:
            return 0, familiar if place else -1, place, ""
        if is_technical(field):
            return 4, 0, 0, field.label.lower()
        if field.name in known:
            return 1, familiar, 0, ""
        return (2 if field.stored else 3), 0, 0, field.label.lower()

    return sorted(fields, key=rank)
