"""Keys: what names one record of a model besides its id, a field that holds one value for each, or an external id."""

from __future__ import annotations

from app.definitions.document import EXTERNAL_ID
from odoo_bridge.types import FieldInfo

#: Types of the fields that can be keys.
TYPES = ("char", "integer", "many2one")


def external_id_field(model: str) -> FieldInfo:
    """Return the description of a model's external ids, as though they were a field. No model has it as one."""
    return FieldInfo(
        model=model,
        name=EXTERNAL_ID,
        type="char",
        label="External ID",
        help="The caller's own id of the record: Odoo's external id, in a namespace that is the caller's.",
        required=False,
        has_default=False,
        writable=False,
        stored=False,
        searchable=False,
        sortable=False,
        translated=False,
        relation=None,
        selection=(),
        size=None,
        model_field=None,
        image=False,
        origin=(model, EXTERNAL_ID),
        owns_lines=False,
        restricted=False,
        groups=None,
        groupable=False,
    )


def reason_against(info: FieldInfo) -> str | None:
    """Return the reason why a field can't be a key; None where there is none."""
    if info.type not in TYPES:
        return f"is of type {info.type}: a key is one of {', '.join(TYPES)}"
    if not info.stored:
        return "is no column of its own"
    if info.translated:
        return "has a value for each language"
    if info.company_dependent:
        return "has a value for each company"
    return None
