"""Files out and in: definition files, Postman collections, OpenAPI documents; and an import that is previewed."""

from __future__ import annotations

from flask import Response, request

from app.blueprints.admin import exports, imports
from app.blueprints.admin.view import PanelView, download, page, posted
from app.errors import BadRequest
from app.literals import to_number

#: What can be downloaded: how it is made, the end of its name, and its type.
_KINDS = {
    "yaml": (exports.definition_file, "yaml", "application/yaml"),
    "postman": (exports.postman, "postman_collection.json", "application/json"),
    "openapi": (exports.openapi, "openapi.json", "application/json"),
}


class Files(PanelView):
    """Import and export."""

    help = "panel#import-and-export"

    @page("/")
    def index(self) -> Response:
        """Offer the downloads, and the form that a file is imported with."""
        return self.show("panel/files.html", rows=exports.choices())

    @page("/download/<kind>")
    def download(self, kind: str) -> Response:
        """Send a file about one API (``?api=ID``), or about all."""
        if kind not in _KINDS:
            raise BadRequest("There is no such file.")
        make, ending, mimetype = _KINDS[kind]
        name, content = make(to_number(request.args.get("api", "")))
        return download(content, f"{name}.{ending}", mimetype)

    @page("/preview", "POST")
    def preview(self) -> Response:
        """Show the changes that the import of a file would make. Nothing is changed yet."""
        text, prune = _sent(), "prune" in request.form
        found = imports.preview(text, prune=prune)
        return self.show("panel/import.html", 400 if found.problems else 200, text=text, prune=prune, found=found)

    @page("/apply", "POST")
    def apply(self) -> Response:
        """Import the file that was previewed, unless somebody has changed something since."""
        text, prune = _sent(), "prune" in request.form
        done = imports.apply(text, prune=prune, version=posted("version"))
        if done is not None:
            return self.go("apis.index", done)
        found = imports.preview(text, prune=prune)
        return self.show("panel/import.html", 409, text=text, prune=prune, found=found, changed=True)


def _sent() -> str:
    """Return the text of the file that was uploaded, or that was put into the form."""
    upload = request.files.get("file")
    content = upload.read() if upload is not None and upload.filename else None
    try:
        return content.decode() if content is not None else request.form.get("text", "").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise BadRequest("This file is not text, so it can't be a definition file.") from None
