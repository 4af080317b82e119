"""The content of images and other binary fields, with the access checks of the record that shows them."""

from __future__ import annotations

import io
from mimetypes import guess_extension

from flask import Blueprint, Response, request, send_file

from app.operations import content
from app.operations.actions import READ
from app.web.calls import current_call
from app.web.current import current_state
from app.web.services import services
from odoo_bridge.binary import Content
from odoo_bridge.transaction import Environment

blueprint = Blueprint("media", __name__)


@blueprint.before_request
def _know_the_api() -> None:
    """So that a preflight, too, is answered as the API says."""
    definition = services().catalog.snapshot.definitions.get((request.view_args or {}).get("api_id", 0))
    if definition is not None and definition.document.published:
        current_state().definition = definition


#: What a browser may show. Anything else, SVG and HTML above all, could carry a script and goes out as a download.
_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/x-icon"})


@blueprint.get("/api/image/<int:api_id>/<model>/<public_id>/<field>", defaults={"image": True})
@blueprint.get("/api/binary/<int:api_id>/<model>/<public_id>/<field>", defaults={"image": False})
def media(api_id: int, model: str, public_id: str, field: str, image: bool) -> Response:
    definition = services().catalog.snapshot.definitions.get(api_id)
    if definition is None or not definition.document.published:
        raise content.not_found()

    def work(env: Environment) -> Content:
        return content.read(env, definition, model, public_id, field, image=image)

    return _answer(services().gateway.run(current_call(definition, READ), work), f"{model}-{public_id}-{field}")


def _answer(found: Content, name: str) -> Response:
    """Stream content: with ETag, conditional (304), and in parts (Range)."""
    inline = found.mimetype in _INLINE
    response = send_file(
        found.path or io.BytesIO(found.data),
        mimetype=found.mimetype if inline else "application/octet-stream",
        as_attachment=not inline,
        download_name=name + (guess_extension(found.mimetype) or ""),
        etag=found.checksum,
        conditional=True,
    )
    response.headers["Cache-Control"] = "private, no-cache"  # kept, but asked for again each time: access can end
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
