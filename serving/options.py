"""Options of a worker that gunicorn has no settings for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: Seconds of an answer after which another thread leads the loop: longer than most answers take, a large one too.
BRIEF = 0.01
#: Seconds that the database takes at least, from which on nobody waits for an answer.
FAR = 0.0005


@dataclass(frozen=True)
class Options:
    """Options of a worker.

    ``max_body``: bytes of a request's body; ``max_stream`` of one that is answered while it comes in.
    ``max_in_files``: bytes of bodies and answers that may lie on the disk, of all connections together; one may have
    half of them for answers that are made while it sends. ``proxies``: how many in front are believed. ``at_once``:
    requests of one caller that may be under way. ``place_of``: what of an address one client has. ``on_refusal`` gets
    the status of each answer that the application has not made. ``brief`` returns the seconds that the loop waits for
    an answer; with 0, another thread leads it meanwhile. ``plain``: requests that are plain are read in a way of their
    own.
    """

    max_body: int = 32 * 1024 * 1024
    max_stream: int = 1024 * 1024 * 1024
    max_in_files: int = 256 * 1024 * 1024
    proxies: int = 0
    at_once: int = 2
    place_of: Callable[[str], str] = str
    on_refusal: Callable[[int], None] = lambda status: None
    brief: Callable[[], float] = lambda: BRIEF
    plain: bool = True
