"""The content of images and other binary fields, with the access checks of the record that shows them."""

from __future__ import annotations

import io
from mimetypes import guess_extension

from flask import Blueprint, Response, request, send_file

from app.definitions.ids import InvalidId
from app.errors import NotFound
from app.operations.actions import READ
from app.operations.content import places
from app.operations.single import visible_to
from app.web.calls import current_call
from app.web.current import current_state
from app.web.services import services
from odoo_bridge import binary, records
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
        raise NotFound("There is no such content.")
    found = list(places(definition, model, field, image=image))
    if not found:
        raise NotFound("There is no such content.")
    try:
        record_id = definition.ids.of(model).decode(public_id)
    except InvalidId:
        raise NotFound("There is no such content.") from None

    def work(env: Environment) -> Content | None:
        for place in found:
            if (
                (place.path or field in visible_to(env, place.exposure).node.fields)
                and records.exists(env, place.exposure.name, place.domain(record_id))
                and records.visible(env, model, [record_id], [])
            ):
                return binary.content(env, model, record_id, field)
        return None

    content = services().gateway.run(current_call(definition, READ), work)
    if content is None:
        raise NotFound("There is no such content.")
    return _answer(content, f"{model}-{public_id}-{field}")


def _answer(content: Content, name: str) -> Response:
    """Stream the content: with ETag, conditional (304), and in parts (Range)."""
    inline = content.mimetype in _INLINE
    response = send_file(
        content.path or io.BytesIO(content.data),
        mimetype=content.mimetype if inline else "application/octet-stream",
        as_attachment=not inline,
        download_name=name + (guess_extension(content.mimetype) or ""),
        etag=content.checksum,
        conditional=True,
    )
    response.headers["Cache-Control"] = "private, no-cache"  # kept, but asked for again each time: access can end
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
