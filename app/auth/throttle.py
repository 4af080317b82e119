"""Throttling: rate limits of APIs, and of wrong credentials.

Wrong passwords are counted per account and address, per address, and per account. The last keeps a stranger with many
addresses from guessing; so that it can't lock the owner out, an address from which the account was logged in to
before is not asked for it.

Tokens, API keys and client secrets are random: nobody guesses one, and a stranger's wrong ones must not keep anybody
from the right one. They are looked at first, and only wrong ones are counted, each kind apart from all else.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute, parse
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from app.auth import counters
from app.auth.addresses import place_of
from app.auth.counters import local_storage, redis_storage
from app.definitions.system import SystemSettings
from app.errors import TooManyRequests, Unavailable

_logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Credentials that nobody guesses, by the name under which wrong ones are counted.
RandomCredential = Literal["api_key", "client_secret"]

#: Seconds that each wrong password adds to the wait for its answer, and the longest such wait.
_DELAY, _LONGEST_DELAY = 0.05, 0.5
#: How long an address is known for an account, in seconds.
_KNOWN_FOR = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class RateState:
    """State of a rate limit: whether this call fits, calls per window, calls left.

    ``reset`` is in how many seconds the window ends, ``window`` how many seconds it has.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    window: int


@dataclass(frozen=True, slots=True)
class _Window:
    """A window in which a caller is counted: by which name, over how many seconds, up to which amount."""

    name: str
    seconds: int
    amount: int


@dataclass(frozen=True, slots=True)
class Tries:
    """Limits on wrong credentials, by window: of an account from an address, of either alone."""

    pair: tuple[RateLimitItem, ...]
    address: tuple[RateLimitItem, ...]
    account: tuple[RateLimitItem, ...]

    @classmethod
    def of(cls, system: SystemSettings) -> Tries:
        """Return the limits of the settings. A window whose limit changes is counted anew."""
        return cls(
            pair=(
                RateLimitItemPerMinute(system.login_tries_per_minute),
                RateLimitItemPerHour(system.login_tries_per_hour),
            ),
            address=(
                RateLimitItemPerMinute(system.address_tries_per_minute),
                RateLimitItemPerHour(system.address_tries_per_hour),
            ),
            account=(RateLimitItemPerHour(system.account_tries_per_hour),),
        )


class Throttle:
    """Counts in one storage, and in the machine's own where that one is away."""

    def __init__(
        self, storage: Storage, fallback: Storage, system: Callable[[], SystemSettings] = SystemSettings
    ) -> None:
        """``system`` returns the settings in force, which may change from one call to the next."""
        self._storages = [storage] if storage is fallback else [storage, fallback]
        self._limiters = [FixedWindowRateLimiter(each) for each in self._storages]
        self._system = system

    @property
    def _tries(self) -> Tries:
        return Tries.of(self._system())

    def hit(self, rate: str, *key: str) -> RateState:
        """Count a call against a rate like ``100/minute``."""
        window = _window(rate, key)
        # As ``limiter.hit`` and ``get_window_stats`` do it, without asking for the count once more.
        counted, ends = self._count(lambda limiter: counters.count(limiter.storage, window.name, window.seconds))
        wait = max(0, math.ceil(ends - time.time()))
        left = max(0, window.amount - counted)
        return RateState(counted <= window.amount, window.amount, left, wait, window.seconds)

    def check_login(self, account: str, address: str) -> None:
        """Count a try with a password, before it is looked at; raises TooManyRequests.

        Counted beforehand, so that many tries at once are not all looked at before the first has failed.
        """
        tries, place = self._tries, place_of(address)
        self._refuse_if_spent(tries.address, "address", place)
        self._refuse_if_spent(tries.pair, "pair", account, place)
        if not self._count(lambda limiter: limiter.storage.get(_known_key(account, place))):
            self._refuse_if_spent(tries.account, "account", account)
        for item in tries.pair:
            if not self._hit(item, "pair", account, place):
                raise self._too_many(item, "pair", account, place)

    def failed(self, account: str | None, address: str) -> None:
        """Count a wrong password of an account that ``check_login`` has let pass; None where it was the right one."""
        tries = self._tries
        counts = [(item, ("address", place_of(address))) for item in tries.address]
        if account is not None:
            counts += [(item, ("account", account)) for item in tries.account]
        for item, key in counts:
            self._hit(item, *key)

    def wrong(self, kind: RandomCredential, address: str, account: str | None = None) -> None:
        """Count a random credential that was found wrong; raises TooManyRequests where an address sends many.

        Counted per address, and per account and address where there is an account: a login or a client app. Nothing
        else is stopped: not right credentials from there, nor wrong ones of another kind.
        """
        tries, place = self._tries, place_of(address)
        counts: list[tuple[RateLimitItem, tuple[str, ...]]] = [(item, (kind, place)) for item in tries.address]
        if account is not None:
            counts += [(item, (kind, account, place)) for item in tries.pair]
        for item, key in counts:
            if not self._hit(item, *key):
                raise self._too_many(item, *key)

    def slow_down(self, account: str, address: str, kind: RandomCredential | Literal["pair"] = "pair") -> None:
        """Make the next guess wait: longer with each wrong one, but never so long that waiting ties up a server."""
        item, place = self._tries.pair[0], place_of(address)
        stats = self._count(lambda limiter: limiter.get_window_stats(item, kind, *_hashed((account, place))))
        time.sleep(min(_DELAY * (item.amount - stats.remaining), _LONGEST_DELAY))

    def succeeded(self, account: str, address: str) -> None:
        """Forget the tries of an account from an address, and know the address from now on."""
        place = place_of(address)
        for item in self._tries.pair:
            self._clear(item, "pair", account, place)
        self._count(lambda limiter: limiter.storage.incr(_known_key(account, place), _KNOWN_FOR))

    def _refuse_if_spent(self, items: tuple[RateLimitItem, ...], kind: str, *key: str) -> None:
        for item in items:
            if not self._has_room(item, kind, *key):
                raise self._too_many(item, kind, *key)

    def _hit(self, item: RateLimitItem, kind: str, *key: str) -> bool:
        return self._count(lambda limiter: limiter.hit(item, kind, *_hashed(key)))

    def _has_room(self, item: RateLimitItem, kind: str, *key: str) -> bool:
        return self._count(lambda limiter: limiter.test(item, kind, *_hashed(key)))

    def _clear(self, item: RateLimitItem, kind: str, *key: str) -> None:
        self._count(lambda limiter: limiter.clear(item, kind, *_hashed(key)))

    def _too_many(self, item: RateLimitItem, kind: str, *key: str) -> TooManyRequests:
        stats = self._count(lambda limiter: limiter.get_window_stats(item, kind, *_hashed(key)))
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        return TooManyRequests(
            "Too many tries with wrong credentials. Please wait.", retry_after=wait, name="too_many_tries"
        )

    def _count(self, work: Callable[[FixedWindowRateLimiter], T]) -> T:
        for limiter in self._limiters[:-1]:
            try:
                return work(limiter)
            except StorageError as error:
                _logger.warning("Shared counters are away, counting on this machine alone: %s", error)
        try:
            return work(self._limiters[-1])
        except self._storages[-1].base_exceptions as error:
            _logger.error("Calls can't be counted: %s", error)
            raise Unavailable("Calls can't be counted at the moment; the server's log says why.") from error


def check_rate(rate: str, state: RateState) -> None:
    """Raise TooManyRequests for a call that is one too many."""
    if not state.allowed:
        raise TooManyRequests(
            f"This API takes {rate.replace('/', ' calls per ')} from each caller.",
            retry_after=max(1, state.reset),
            name="rate_limit",
        )


def make_throttle(
    database: str, redis_url: str | None, system: Callable[[], SystemSettings] = SystemSettings
) -> Throttle:
    """Return the throttle of a database, by its uuid: counted on this machine, or in Redis for several hosts."""
    local = local_storage(database)
    return Throttle(redis_storage(redis_url, database) if redis_url else local, local, system)


@lru_cache(maxsize=8192)
def _window(rate: str, key: tuple[str, ...]) -> _Window:
    item = parse(rate)
    return _Window(item.key_for(*_hashed(key)), item.get_expiry(), item.amount)


@lru_cache(maxsize=8192)
def _hashed(key: tuple[str, ...]) -> tuple[str, ...]:
    """Logins and addresses are personal: no storage need hold them."""
    return tuple(hashlib.sha256(part.encode()).hexdigest()[:24] for part in key)


def _known_key(account: str, place: str) -> str:
    return "/".join(("known", *_hashed((account, place))))
