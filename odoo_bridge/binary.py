"""The content of binary fields: as a file of Odoo's filestore where it is one, so that it can be streamed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odoo.tools.mimetypes import MIMETYPE_HEAD_SIZE, guess_mimetype

from .transaction import Environment


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a binary field: ``data``, or the file at ``path``; ``mimetype`` is read from the content."""

    path: Path | None
    data: bytes
    checksum: str
    mimetype: str


def content(env: Environment, model: str, record_id: int, name: str) -> Content | None:
    """Return the content of a field of a record that ``records.visible`` has found, or None where it is empty.

    Raises AccessError (translated by the transaction) for a field that Odoo keeps from the user.
    """
    record = env[model].browse(record_id)
    record._check_field_access(record._fields[name], "read")
    record, name = _holder(record, name)
    attachment = _attachment(record, name)
    if attachment is None:
        return _of_data(_decoded(record[name]))
    if not attachment or attachment.type != "binary":
        return None
    if not attachment.store_fname:
        return _of_data(attachment.raw or b"")
    path = Path(attachment._full_path(attachment.store_fname))
    try:
        with path.open("rb") as file:
            head = file.read(MIMETYPE_HEAD_SIZE)
    except OSError:
        return None  # the filestore lacks the file: to a client the field is empty
    return Content(path, b"", attachment.checksum, guess_mimetype(head))


def _holder(record: Any, name: str) -> tuple[Any, str]:
    """Return the record and field that hold the value: Odoo does not store most related fields (company.logo)."""
    field = record._fields[name]
    while field.related and not field.store:
        *path, last = field.related.split(".")
        # As Odoo computes related fields (orm/fields.py, _compute_related).
        record = record.sudo() if field.compute_sudo else record
        for step in path:
            record = record[step][:1]
        field = record._fields[last]
    return record, field.name


def _attachment(record: Any, name: str) -> Any:
    """Return the attachment that holds the field, empty where there is none; None where it is no attachment."""
    if record._name == "ir.attachment" and name in ("raw", "datas", "db_datas"):
        return record
    field = record._fields[name]
    if not (field.store and field.attachment):
        return None
    domain = [("res_model", "=", record._name), ("res_field", "=", name), ("res_id", "=", record.id)]
    return record.env["ir.attachment"].sudo().search(domain, limit=1)


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value) if value else b""
    except binascii.Error:
        return bytes(value)


def _of_data(data: bytes) -> Content | None:
    if not data:
        return None
    return Content(None, data, hashlib.sha256(data).hexdigest(), guess_mimetype(data))
