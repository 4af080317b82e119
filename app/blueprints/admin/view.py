"""Base of the panel's views."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

from flask import Response, flash, make_response, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import HTTPException

from app import errors
from app.blueprints.admin.confirmation import Confirmation
from app.blueprints.admin.guard import current_person
from app.errors import ApiError
from app.literals import to_number
from app.web.current import current_state
from app.web.error_handlers import from_database
from app.web.services import services
from odoo_bridge.errors import BridgeError

_logger = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., Any])


def page(url: str, *methods: str) -> Callable[[View], View]:
    """Expose a method of a view at an address below the view's own; GET alone where no method is named."""
    return cast("Callable[[View], View]", expose(url, methods=methods or ("GET",)))


class PanelView(BaseView):  # type: ignore[misc]
    """A part of the panel. Its name stands in the menu.

    ``help`` is what docs/ say about it, a page and a heading; ``help_of`` that of single pages, by their name.
    """

    help: ClassVar[str] = "panel"
    help_of: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def is_accessible(self) -> bool:
        """Say no to whom the guard did not let in: a second lock, should the first one ever be taken off."""
        person = current_person()
        return person is not None and person.administrator

    def create_blueprint(self, admin: Any) -> Any:
        """Show errors as pages of the panel and not as JSON."""
        blueprint = super().create_blueprint(admin)
        blueprint.register_error_handler(ApiError, self._error)
        blueprint.register_error_handler(BridgeError, lambda error: self._error(errors.from_bridge(error)))
        blueprint.register_error_handler(HTTPException, self._http_error)
        blueprint.register_error_handler(Exception, self._defect)
        return blueprint

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page in the panel's frame."""
        text = self.render(
            template,
            csrf_token=generate_csrf,
            person=current_person(),
            database=services().transactions.database,
            help_address=self._help_address(),
            **values,
        )
        return make_response(text, status)

    def ask(self, asked: Confirmation) -> Response:
        """Return the page that asks before something is done."""
        return self.show("panel/confirm.html", asked=asked)

    def _help_address(self) -> str:
        """Return the address of what docs/ say about the current page."""
        topic, _, anchor = self.help_of.get((request.endpoint or "").rpartition(".")[2], self.help).partition("#")
        return url_for("help.read", topic=topic, _anchor=anchor or None)

    def go(self, endpoint: str, message: str = "", **values: Any) -> Response:
        """Send the browser on after something was done, with a message that the next page shows."""
        if message:
            flash(message)
        return make_response(redirect(url_for(endpoint, **values), 303))

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Flask-Admin would call a view that raises TypeError a second time."""
        return fn(self, *args, **kwargs)

    def _error(self, error: ApiError) -> Response:
        title = {404: "There is no such page", 409: "Somebody was quicker"}.get(error.status, "This did not work")
        response = self.show("panel/error.html", error.status, title=title, message=error.message)
        response.headers.update(error.headers)
        return response

    def _http_error(self, error: HTTPException) -> Response:
        plain = ApiError(error.description or error.name)
        plain.status = error.code or 500
        return self._error(plain)

    def _defect(self, error: Exception) -> Response:
        """Anything else is our mistake: the log has it all, the page has the id to ask for."""
        known = from_database(error)
        if known is not None:
            _logger.warning("%s: %s", known.message, error)
            return self._error(known)
        request_id = current_state().request_id
        _logger.error("Unexpected error in request %s", request_id, exc_info=error)
        return self._error(ApiError(f"Something went wrong on our side. Please report request {request_id}."))


def download(content: str | Iterator[str] | Iterator[bytes], name: str, mimetype: str) -> Response:
    """Return a file for the browser to save; one that comes in parts is sent as they come."""
    response = Response(content, content_type=f"{mimetype}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def posted(name: str) -> str:
    """Return one value of the form that was sent, without spaces around it."""
    return request.form.get(name, "").strip()


def wished_page() -> int:
    """Return the number of the page of a list, from 1."""
    return max(1, to_number(request.args.get("page", "1"), digits=6) or 1)
