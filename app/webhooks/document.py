"""A webhook as a client app asks for it: contract section 10."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field, ValidationError

from app.definitions.document import Strict
from app.definitions.problems import shape_problems
from app.errors import BadRequest
from app.operations.delta.answers import Event

T = TypeVar("T", bound=Strict)
EVENTS: tuple[Event, ...] = get_args(Event)
#: Seconds for which messages are signed with the secret of before too, where a rotation says nothing else; and at most.
OVERLAP, MOST_OVERLAP = 24 * 3600, 30 * 24 * 3600
#: Deliveries of a page, where the call does not say, and at most.
PAGE, MOST_OF_PAGE = 50, 500


def _distinct(names: list[Any] | None) -> list[Any] | None:
    if names is not None and len(set(names)) < len(names):
        raise ValueError("names one twice")
    return names


_Events = Annotated[list[Literal["created", "updated", "removed"]], Field(min_length=1), AfterValidator(_distinct)]
_Fields = Annotated[list[str] | None, AfterValidator(_distinct)]


class WebhookDocument(Strict):
    """A webhook that is to be: its address, and what is sent there.

    ``model`` is named where the API has several; ``fields`` None stands for all that a delta shows; ``thin`` leaves
    everything out but the ids.
    """

    url: str = Field(min_length=1, max_length=2000)
    api: str = Field(min_length=1, max_length=200)
    events: _Events = Field(default=list(EVENTS))
    model: str | None = None
    fields: _Fields = None
    domain: list[Any] = Field(default=[])
    thin: bool = False


class WebhookChange(Strict):
    """A change of a webhook: of the keys that it names."""

    url: str = Field(default="", min_length=1, max_length=2000)
    events: _Events = Field(default=list(EVENTS))
    fields: _Fields = None
    domain: list[Any] = Field(default=[])
    thin: bool = False
    active: bool = True


class Rotation(Strict):
    """A new secret; the one of before is good for some seconds more."""

    overlap: int = Field(default=OVERLAP, ge=0, le=MOST_OVERLAP)


def parsed(kind: type[T], body: Any) -> T:
    """Return a body as what it has to be; raises BadRequest that names the key."""
    if not isinstance(body, dict):
        raise BadRequest("The body must be an object.", name="invalid_body", data={"parameter": "body"})
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        problem = shape_problems(error)[0]
        raise BadRequest(f"{problem}.", name="invalid_webhook", data={"parameter": problem.top or "body"}) from None
