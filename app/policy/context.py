"""Odoo's context of a call: language, time zone and company, each checked; of a client's nothing else passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias
from zoneinfo import available_timezones as read_time_zones

from app.definitions.ids import Ids, InvalidId
from app.errors import BadRequest

#: A choice among language tags, None where none of them fits.
LanguageChoice: TypeAlias = Callable[[Iterable[str]], str | None]
#: Keys of Odoo's own that keep a write out of the chatter, and change nothing else of it. ``tracking_disable`` alone
#: does most of that (mail_thread.py); the others are for addons that log, notify or subscribe beside it.
WITHOUT_CHATTER: Mapping[str, bool] = MappingProxyType(
    {
        "tracking_disable": True,  # no message of a creation or of tracked fields, no followers, no assignment
        "mail_notrack": True,  # no message of a user who becomes a portal user (mail/res_users.py)
        "mail_auto_subscribe_no_notify": True,  # no notification of a task's assignees (project_task.py)
        "mail_activity_quick_update": True,  # none of an activity's user (mail_activity.py)
        "mail_post_autofollow_author_skip": True,  # whoever posts a message by a method does not follow
        "mail_post_autofollow": False,  # nor do customers among its recipients
    }
)


@dataclass(frozen=True, slots=True)
class RequestedContext:
    """Context that a call's headers ask for: ``Accept-Language``, ``X-Timezone``, ``X-Company-Id``.

    ``language`` chooses among those that are installed, as they are known only later; each is None where the call asks
    for nothing.
    """

    language: LanguageChoice | None
    time_zone: str | None
    company: str | None


def language(choose: LanguageChoice, installed: list[str]) -> str | None:
    """Return the installed language that fits ``Accept-Language`` best, as Odoo names it; None where none does."""
    tags = {code.replace("_", "-"): code for code in installed}
    best = choose(tags)
    return tags[best] if best else None


def time_zone(name: str | None) -> str | None:
    """Return the time zone of ``X-Timezone``; raises BadRequest for one that does not exist."""
    if name is None:
        return None
    if name not in time_zones():
        raise BadRequest(
            f"X-Timezone: {name[:80]!r} is no time zone like Europe/Berlin.",
            name="invalid_timezone",
            data={"parameter": "X-Timezone"},
        )
    return name


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Return the names of all time zones that this machine knows.

    ``localtime`` and ``Factory`` are files beside them on some machines, and no zones: Odoo does not know them.
    """
    return frozenset(read_time_zones()) - {"localtime", "Factory"}


def company(public_id: str | None, ids: Ids, user_companies: tuple[int, ...]) -> int | None:
    """Return the company of ``X-Company-Id``; raises BadRequest for one that is not the user's."""
    if public_id is None:
        return None
    try:
        company_id = ids.of("res.company").decode(public_id)
    except InvalidId:
        company_id = 0
    if company_id not in user_companies:
        raise BadRequest(
            "X-Company-Id: this is no company of the executing user.",
            name="invalid_company",
            data={"parameter": "X-Company-Id"},
        )
    return company_id


def build(
    user_context: Mapping[str, Any], lang: str | None, tz: str | None, company_id: int | None, *, chatter: bool = True
) -> dict[str, Any]:
    """Return the context: the user's own language and time zone, unless the call names others."""
    context = {"lang": lang or user_context.get("lang"), "tz": tz or user_context.get("tz")}
    if company_id is not None:
        context["allowed_company_ids"] = [company_id]
    built = {key: value for key, value in context.items() if value}
    return built if chatter else {**built, **WITHOUT_CHATTER}
