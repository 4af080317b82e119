"""Odoo's own sessions: the same store, so that a session made here is valid in Odoo and the other way round."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odoo import http
from odoo.service import security

from .errors import StorageFull, Unavailable
from .transaction import Environment
from .translation import storage_error
from .types import Renewal, User

_logger = logging.getLogger(__name__)

#: The cookie that Odoo uses (odoo/http.py, Request._save_session).
COOKIE = "session_id"
#: Key of a session that was opened with an API key; Odoo keeps what it does not know.
_BY_KEY = "gatehouse_by_key"


@dataclass(frozen=True, slots=True)
class Login:
    """A session that was just opened: its secret id, its lifetime in seconds, and what the client is told."""

    sid: str
    max_age: int
    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Session that was resolved: its user, and its rotation where one was due.

    ``by_key`` says that it was opened with an API key: a program may have opened it, and nobody need sit before it.
    """

    user: User
    renewal: Renewal | None
    by_key: bool = False


def resolve(root: Environment, sid: str, *, rotates: bool = True) -> Resolved | None:
    """Return the user of a session, or None for one that is unknown, expired, logged out or of another database.

    ``rotates`` False is for who could not tell the client of a rotation.

    The token in the session depends on the user's login, password and ``active``, so a change of any of them
    ends it (res_users.py, _compute_session_token). Odoo caches the token: in the steady state this costs the
    read of one small file and no query. A session is rotated when Odoo would (odoo/http.py, _save_session).
    """
    session = _load(sid)
    if session is None or not session.uid or session.db != root.cr.dbname:
        return None
    if not security.check_session(session, root):
        return None
    renewal = None
    if rotates and time.time() >= session["create_time"] + http.SESSION_ROTATION_INTERVAL:
        with _store():
            http.root.session_store.rotate(session, root, soft=True)
        renewal = Renewal(session.sid, http.get_session_max_inactivity(root))
    return Resolved(User(session.uid, session.login), renewal, bool(session.get(_BY_KEY)))


def successor(sid: str) -> str:
    """Return the id that a session has by now, after rotations that others were told of; raises Unavailable."""
    session = _load(sid)
    following: str = session.get("next_sid", sid) if session is not None else sid
    return following


def open_session(root: Environment, user: User, *, by_key: bool = False) -> Login:
    """Open a session for a user whose credentials have been checked (odoo/http.py, Session.finalize).

    ``by_key`` says that they were an API key, which the session then tells.
    """
    env = root(user=user.uid, su=False)
    context = dict(env["res.users"].context_get())
    session = http.root.session_store.new()
    session.update(http.get_default_session())
    session.update(
        {
            "db": root.cr.dbname,
            "login": user.login,
            "uid": user.uid,
            "context": context,
            "session_token": env.user._compute_session_token(session.sid),
            **({_BY_KEY: True} if by_key else {}),
        }
    )
    with _store():
        http.root.session_store.save(session)
    info = {
        "uid": user.uid,
        "name": env.user.name,
        "username": user.login,
        "db": root.cr.dbname,
        "company_id": env.user.company_id.id,
        "user_context": context,
    }
    return Login(session.sid, http.get_session_max_inactivity(root), info)


def close_session(sid: str) -> None:
    """End a session everywhere, also those that rotation derived from it. Raises Unavailable where one stays.

    Odoo's own ``delete_from_identifiers`` looks for them with ``glob``, and Python then keeps the pattern of each of
    the last 32,768 log-outs compiled, 45 MB in all; what it can't remove it says nothing of.
    """
    if _load(sid) is None:
        return
    folder = Path(http.root.session_store.get_session_filename(sid)).parent
    with _store(), os.scandir(folder) as files:
        for file in files:
            if file.name.startswith(sid[: http.STORED_SESSION_BYTES]):
                with contextlib.suppress(FileNotFoundError):  # ended at the same time by another call
                    os.unlink(file.path)


def _load(sid: str) -> Any:
    """Return a session of the store, or None where it has none of that id. Raises Unavailable."""
    store = http.root.session_store
    if not store.is_valid_key(sid):
        return None
    with _store():
        try:
            # Odoo's store takes a file that it can't read for one that is not there: that would log people out.
            os.close(os.open(store.get_session_filename(sid), os.O_RDONLY))
        except FileNotFoundError:
            os.stat(store.path)
            return None
        session = store.get(sid)
    # Odoo's store answers an unknown id with a new, empty session of another id.
    return session if session.sid == sid and not session.is_new else None


@contextlib.contextmanager
def _store() -> Iterator[None]:
    """Say that sessions can't be looked up or kept: a disk that is full or away, wrong rights on the folder."""
    try:
        yield
    except OSError as error:
        known = storage_error(error)
        if isinstance(known, StorageFull):
            raise known from error
        raise Unavailable("Sessions cannot be looked up at the moment.", name="session_store_unavailable") from error
