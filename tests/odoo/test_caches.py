"""The caches that threads share are never filled from an old view, nor with what is not committed."""

from __future__ import annotations

import functools
import gc
import importlib
import pkgutil
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import psycopg2
import pytest
from odoo.modules.registry import Registry  # noqa: TID251  the tests look at Odoo's own caches
from odoo.tools.cache import ormcache  # noqa: TID251
from odoo.tools.lru import LRU  # noqa: TID251

from app.web.routing import Gatehouse
from odoo_bridge import caches, sandbox
from odoo_bridge.errors import Unavailable
from odoo_bridge.transaction import Environment, Limits, Transactions, attempt

Grant = Callable[[Environment, bool], None]


@pytest.fixture
def transactions(app: Gatehouse) -> Transactions:
    return app.services.transactions


@pytest.fixture
def user(transactions: Transactions) -> Iterator[int]:
    """A user who is in the group Settings, and whose groups are in the shared caches."""

    def make(root: Environment) -> int:
        groups = [root.ref("base.group_user").id, root.ref("base.group_system").id]
        values = {"name": "Cached", "login": "cached", "group_ids": [(6, 0, groups)]}
        return int(root["res.users"].create(values).id)

    uid = transactions.run(make)
    assert transactions.run(lambda root: is_admin(root, uid))
    yield uid
    transactions.run(lambda root: root["res.users"].browse(uid).unlink())


def is_admin(root: Environment, uid: int) -> bool:
    """What the shared caches, or this transaction's own, say of a user."""
    return bool(root["res.users"].browse(uid).has_group("base.group_system"))


def shared(root: Environment) -> set[int]:
    """The users whose groups stand in the shared caches."""
    entries = root.registry._Registry__caches["default"].snapshot
    return {key[2] for key in entries if getattr(key[1], "__name__", "") == "_get_group_ids"}


def set_admin(root: Environment, uid: int, granted: bool) -> None:
    """Put the user into the group Settings, or take them out of it."""
    command = 4 if granted else 3
    root["res.users"].browse(uid).write({"group_ids": [(command, root.ref("base.group_system").id)]})
    root["res.users"].flush_model()


class Beside:
    """A transaction in a thread of its own, which goes on step by step as the test says."""

    def __init__(self, transactions: Transactions, *steps: Callable[[Environment], Any], **options: Any) -> None:
        self.results: list[Any] = []
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._steps = steps
        self._thread = threading.Thread(target=self._run, args=(transactions, options), daemon=True)
        self._thread.start()

    def step(self) -> Any:
        """Let it do its next step, and return what that gives."""
        self._go.release()
        assert self._done.acquire(timeout=30)
        return self.results[-1]

    def end(self) -> None:
        """Let it come to its end."""
        self._go.release()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self, transactions: Transactions, options: dict[str, Any]) -> None:
        transactions.run(self._work, **options)

    def _work(self, root: Environment) -> None:
        for step in self._steps:
            assert self._go.acquire(timeout=30)
            try:
                self.results.append(step(root))
            finally:
                self._done.release()
        assert self._go.acquire(timeout=30)


def begin(root: Environment) -> None:
    """Take the snapshot."""
    root.cr.execute("SELECT 1")


def test_what_a_transaction_finds_is_shared_when_it_commits(transactions: Transactions, user: int) -> None:
    transactions.run(lambda root: root.registry.clear_cache())
    during = transactions.run(lambda root: (is_admin(root, user), user in shared(root)))
    assert during == (True, False)
    assert transactions.run(lambda root: user in shared(root))


@pytest.mark.parametrize("ending", ["rolled back", "failed"])
def test_what_is_rolled_back_shares_nothing(transactions: Transactions, user: int, ending: str) -> None:
    def work(root: Environment) -> None:
        assert is_admin(root, user)
        if ending == "failed":
            raise LookupError

    transactions.run(lambda root: root.registry.clear_cache())
    if ending == "failed":
        with pytest.raises(LookupError):
            transactions.run(work)
    else:
        transactions.run(work, keep=False)
    assert not transactions.run(lambda root: user in shared(root))


def test_a_transaction_from_before_a_change_does_not_bring_the_old_rights_back(
    transactions: Transactions, user: int
) -> None:
    old = Beside(transactions, begin, lambda root: is_admin(root, user))
    old.step()
    transactions.run(lambda root: set_admin(root, user, False))
    assert old.step() is True  # by its own snapshot
    old.end()
    assert not transactions.run(lambda root: is_admin(root, user))


def test_a_transaction_from_before_a_change_sees_its_own_snapshot_throughout(
    transactions: Transactions, user: int
) -> None:
    old = Beside(transactions, begin, lambda root: is_admin(root, user))
    old.step()
    transactions.run(lambda root: set_admin(root, user, False))
    assert not transactions.run(lambda root: is_admin(root, user))  # which is shared now
    assert old.step() is True
    old.end()


def test_who_fills_the_caches_before_a_change_is_committed_is_overruled_after_it(
    transactions: Transactions, user: int
) -> None:
    """Odoo empties its caches at the change, and whoever comes between that and the commit sees the old rights."""
    change = Beside(transactions, lambda root: set_admin(root, user, False))
    change.step()
    assert transactions.run(lambda root: is_admin(root, user))
    assert transactions.run(lambda root: user in shared(root))
    change.end()
    assert not transactions.run(lambda root: is_admin(root, user))


def test_a_change_of_the_registry_alone_empties_the_caches_after_its_commit_too(
    transactions: Transactions, user: int
) -> None:
    change = Beside(transactions, lambda root: setattr(root.registry, "registry_invalidated", True))
    change.step()
    assert transactions.run(lambda root: is_admin(root, user))
    assert transactions.run(lambda root: user in shared(root))
    change.end()
    assert not transactions.run(lambda root: user in shared(root))


def test_who_begins_before_the_commit_of_a_change_and_ends_after_it_shares_nothing(
    transactions: Transactions, user: int
) -> None:
    change = Beside(transactions, lambda root: set_admin(root, user, False))
    change.step()
    between = Beside(transactions, lambda root: is_admin(root, user))
    assert between.step() is True
    change.end()
    between.end()
    assert not transactions.run(lambda root: is_admin(root, user))


@pytest.mark.parametrize("keep", [True, False])
def test_a_change_is_seen_by_who_makes_it_and_by_nobody_else_until_the_commit(
    transactions: Transactions, user: int, keep: bool
) -> None:
    change = Beside(
        transactions, lambda root: set_admin(root, user, False), lambda root: is_admin(root, user), keep=keep
    )
    change.step()
    assert change.step() is False
    assert transactions.run(lambda root: is_admin(root, user))
    change.end()
    assert transactions.run(lambda root: is_admin(root, user)) is not keep


def test_rights_that_are_given_and_taken_again_in_one_transaction_are_gone_at_once(
    transactions: Transactions, user: int
) -> None:
    def work(root: Environment) -> list[bool]:
        seen = []
        for granted in (False, True, False):
            set_admin(root, user, granted)
            seen.append(is_admin(root, user))
        return seen

    assert transactions.run(work) == [False, True, False]


def test_what_a_savepoint_takes_back_is_forgotten(transactions: Transactions, user: int) -> None:
    def item(root: Environment) -> None:
        with attempt(root):
            set_admin(root, user, False)
            assert not is_admin(root, user)
            raise LookupError

    def work(root: Environment) -> bool:
        with pytest.raises(LookupError):
            item(root)
        return is_admin(root, user)

    assert transactions.run(work)


def test_a_commit_within_the_work_empties_the_caches_again(transactions: Transactions, user: int) -> None:
    def change_and_commit(root: Environment) -> None:
        root.cr.commit()

    change = Beside(transactions, lambda root: set_admin(root, user, False), change_and_commit)
    change.step()
    assert transactions.run(lambda root: is_admin(root, user))
    change.step()
    assert not transactions.run(lambda root: is_admin(root, user))  # while the work goes on
    change.end()


@pytest.fixture
def signals(sql: Callable[..., list[tuple[Any, ...]]]) -> Callable[[], int]:
    """How many signals there are that caches are old; it rises with each one."""
    return lambda: int(sql("SELECT max(id) FROM orm_signaling_default")[0][0])


def test_a_commit_within_the_work_is_signalled_at_once(
    transactions: Transactions, user: int, signals: Callable[[], int]
) -> None:
    change = Beside(transactions, lambda root: set_admin(root, user, False), lambda root: root.cr.commit())
    change.step()
    before = signals()
    change.step()
    during = signals()
    change.end()
    assert (during - before, signals() - during) == (1, 0)


def test_a_change_is_signalled_whatever_a_hook_after_its_commit_does(
    transactions: Transactions, user: int, signals: Callable[[], int]
) -> None:
    seen = []

    def fail(uid: int = user) -> None:
        seen.append(signals())
        raise LookupError

    def work(root: Environment) -> None:
        set_admin(root, user, False)
        root.cr.postcommit.add(fail)

    before = signals()
    with pytest.raises(LookupError):
        transactions.run(work)
    assert seen == [before + 1]
    assert not transactions.run(lambda root: is_admin(root, user))


def test_what_another_cursor_commits_is_signalled_though_the_work_fails(
    transactions: Transactions, user: int, signals: Callable[[], int]
) -> None:
    def work(root: Environment) -> None:
        with root.registry.cursor() as cr:
            set_admin(root(cr=cr), user, False)
        raise LookupError

    before = signals()
    with pytest.raises(LookupError):
        transactions.run(work)
    assert signals() == before + 1
    assert not transactions.run(lambda root: is_admin(root, user))


def test_the_commit_of_another_cursor_leaves_the_own_change_to_be_signalled(
    transactions: Transactions, user: int, signals: Callable[[], int]
) -> None:
    def work(root: Environment) -> int:
        set_admin(root, user, False)
        with root.registry.cursor() as cr:
            root(cr=cr)["test.record"].create({"name": "beside"})
        assert transactions.run(begin) is None  # nor does a transaction of its own forget it
        return signals()

    before_the_commit = transactions.run(work)
    assert signals() == before_the_commit + 1
    assert not transactions.run(lambda root: is_admin(root, user))


def test_what_a_thread_has_noted_outside_of_a_transaction_is_signalled_once(
    transactions: Transactions, user: int, signals: Callable[[], int]
) -> None:
    Registry(transactions.database).clear_cache()
    transactions.run(begin)
    before = signals()
    transactions.run(lambda root: is_admin(root, user))
    assert transactions.run(lambda root: user in shared(root))
    assert signals() == before


def test_what_could_not_be_signalled_is_signalled_with_the_next_transaction(
    transactions: Transactions, user: int, signals: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(registry: Any) -> None:
        raise psycopg2.OperationalError("the database is away")

    before = signals()
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "signal_changes", away)
        transactions.run(lambda root: set_admin(root, user, False))
    assert signals() == before
    transactions.run(begin)
    assert signals() == before + 1


def test_a_change_whose_connection_is_lost_is_signalled_because_it_may_be_committed(
    transactions: Transactions, user: int, signals: Callable[[], int], sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    def work(root: Environment) -> None:
        set_admin(root, user, False)
        root.cr.execute("SELECT pg_backend_pid()")
        sql("SELECT pg_terminate_backend(%s)", root.cr.fetchone()[0])

    before = signals()
    with pytest.raises(Unavailable):
        transactions.run(work)
    transactions.run(begin)
    assert signals() == before + 1


def test_a_lost_connection_leaves_the_change_of_the_transaction_around_it_to_be_signalled(
    transactions: Transactions, user: int, signals: Callable[[], int], sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    def within(root: Environment) -> None:
        root.cr.execute("SELECT pg_backend_pid()")
        sql("SELECT pg_terminate_backend(%s, 5000)", root.cr.fetchone()[0])
        root.cr.execute("SELECT 1 FROM test_record")

    def work(root: Environment) -> int:
        set_admin(root, user, False)
        with pytest.raises(Unavailable):
            transactions.run(within)
        transactions.run(begin)
        other = Beside(transactions, begin)
        other.step()
        other.end()
        return signals()

    before_the_commit = transactions.run(work)
    assert signals() > before_the_commit
    assert not transactions.run(lambda root: is_admin(root, user))


def test_a_cursor_that_the_work_opens_follows_the_same_rules(transactions: Transactions, user: int) -> None:
    def elsewhere(root: Environment) -> None:
        with root.registry.cursor() as cr:
            begin(root(cr=cr))
            own = root(cr=cr)
            other = Beside(transactions, lambda root: set_admin(root, user, False))
            other.step()
            other.end()
            assert is_admin(own, user)

    transactions.run(elsewhere)
    assert not transactions.run(lambda root: is_admin(root, user))


@pytest.mark.parametrize("fills", ["before the change", "after the change"])
def test_test_mode_shares_nothing(transactions: Transactions, user: int, fills: str) -> None:
    def trial(root: Environment) -> None:
        with sandbox.isolated(root) as place:
            if fills == "after the change":
                set_admin(place, user, False)
            assert is_admin(place, user) is (fills == "before the change")
            place.cr.commit()

    transactions.run(lambda root: root.registry.clear_cache())
    transactions.run(trial, keep=False)
    assert not transactions.run(lambda root: user in shared(root))
    assert transactions.run(lambda root: is_admin(root, user))


def test_a_rollback_in_test_mode_takes_back_what_was_found_since(transactions: Transactions, user: int) -> None:
    def trial(root: Environment) -> bool:
        with sandbox.isolated(root) as place:
            set_admin(place, user, False)
            assert not is_admin(place, user)
            place.cr.rollback()
            return is_admin(place, user)

    assert transactions.run(trial, keep=False)


def test_nobody_relies_on_a_look_at_the_signals_that_is_not_over(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    follow = Transactions._follow_signals

    def slow(self: Transactions, cr: Any) -> None:
        if self is mine:  # and not the catalog's watcher
            looks.append(cr)
            if len(looks) == 1:
                self.run(begin)  # another call, meanwhile
        follow(self, cr)

    monkeypatch.setattr(Transactions, "_follow_signals", slow)
    mine = Transactions(transactions.database, Limits(signaling_interval=3600))
    mine.run(begin)
    mine.run(begin)
    assert len(looks) == 2


def test_every_cache_of_the_registry_is_under_the_mechanism(app: Gatehouse) -> None:
    found = Registry(app.services.transactions.database)._Registry__caches
    assert {type(cache) for cache in found.values()} == {caches.SharedCache}
    assert {caches.STATEMENTS, caches.COUNTS} <= found.keys()
    assert ormcache.lookup is caches._lookup
    assert ormcache.add_value is caches._add_value


def test_callers_that_are_forgotten_take_nothing_else_along(app: Gatehouse) -> None:
    """Anybody can revoke their own tokens all the time: others' calls must still find what is cached, and share it."""
    found = Registry(app.services.transactions.database)._Registry__caches

    def work(root: Environment) -> tuple[str, str]:
        view = root.cr.cache_view
        view.put(found, caches.STATEMENTS, "kept", "statement")
        view.put(found, caches.PRINCIPALS, "gone", "caller")
        found[caches.PRINCIPALS].clear()
        return view.get(found, caches.STATEMENTS, "kept"), view.get(found, caches.PRINCIPALS, "gone")

    assert app.services.transactions.run(work) == ("statement", "caller")
    assert found[caches.STATEMENTS].pop("kept") == "statement"
    assert found[caches.PRINCIPALS].get("gone") is None  # what it was found by is older than what others know by now


#: What else is remembered between calls, and why no transaction's view matters to it.
_OF_NO_TRANSACTION = {
    "app.commands.api.group": "commands",
    "app.blueprints.admin.help_text.load": "files of the documentation",
    "app.web.lifecycle._start": "follows from its arguments",
    "app.auth.addresses.place_of": "follows from its arguments",
    "app.auth.counters._environments": "files that are open",
    "app.auth.throttle._hashed": "follows from its arguments",
    "app.auth.throttle._window": "follows from its arguments",
    "app.operations.cursors.cursors": "follows from its argument",
    "app.operations.serialize.objects.objects": "follows from its arguments",
    "app.policy.arguments._signature": "follows from its arguments",
    "app.policy.order._stable": "follows from its arguments",
    "app.web.incoming._of_query": "follows from its arguments",
    "app.policy.context.time_zones": "the system's",
    "app.definitions.ids.HashedIds._decode": "follows from its arguments and the salt",
    "app.definitions.ids.HashedIds._encode": "follows from its arguments and the salt",
    "app.definitions.ids._hashed": "follows from its arguments",
    "app.definitions.ids._plain": "follows from its argument",
    "app.web.hooks._route": "follows from its arguments",
    "odoo.addons.base.models.ir_actions_report._wkhtml": "a program of the system",
    "odoo.modules.module.Manifest._get_manifest_from_addons": "a file",
    "odoo.tools.barcode._init_barcode": "a file",
    "odoo_bridge.addon_imports._here": "of one thread, for one load of a registry",
    "odoo_bridge.addon_imports.imported": "files of source code, as they were imported",
    "odoo_bridge.argument_use._parsed": "files of source code",
    "odoo_bridge.caches._generation": "the mechanism itself",
    "odoo_bridge.caches._of_callers": "the mechanism itself",
    "odoo_bridge.connections._info": "Odoo's configuration",
    "odoo_bridge.deadline._here": "of one thread, for one call",
    "odoo_bridge.distance.measured": "how long statements took",
    "odoo_bridge.fast._off": "switches, set at the start",
    "odoo_bridge.held_connection._held": "classes",
    "odoo_bridge.held_connection._judge": "follows from its arguments",
    "odoo_bridge.reliance._digest": "follows from its argument",
    "odoo_bridge.sandbox_state.state": "of one thread, for one call",
    "odoo_bridge.signaling._unsent": "names of caches, for the next signal",
    "odoo_bridge.transaction._here": "of one thread, for one call",
    "odoo_bridge.written_tables._last": "when tables were last written",
    "odoo_bridge.fast.prepared._counts": "texts of statements, and how often they came",
    "odoo_bridge.fast.writes._sanitized": "follows from its arguments",
    "serving.environ._key": "follows from its arguments",
    "serving.process_table.processes": "the processes of the server",
    "serving.renewal._tried": "the arbiter's tries",
}
_OURS = ("app", "odoo_bridge", "serving")


def test_nothing_else_in_the_process_is_a_cache(app: Gatehouse) -> None:
    """A new one belongs among the registry's (see ``caches``), or into the list above with its reason."""
    found = {*_remembering_functions(), *_changing_globals()}
    found |= {str(type(item)) for item in gc.get_objects() if isinstance(item, LRU) and not _is_known(item)}
    assert sorted(found - _OF_NO_TRANSACTION.keys()) == []
    assert {
        "app.auth.throttle._hashed",
        "odoo_bridge.caches._generation",
    } <= found  # so the search finds what it should


def _is_known(cache: LRU[Any, Any]) -> bool:
    return isinstance(cache, caches.SharedCache) or cache is Registry.registries


def _remembering_functions() -> Iterator[str]:
    for item in gc.get_objects():
        if isinstance(item, functools._lru_cache_wrapper):
            name = f"{getattr(item, '__module__', '')}.{getattr(item, '__qualname__', '')}"
            if name.partition(".")[0] in (*_OURS, "odoo") and "<locals>" not in name:
                yield name


def _changing_globals() -> Iterator[str]:
    """Our modules' containers that are no constants by their names, and instances of our own classes."""
    for package in _OURS:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not found.name.startswith("odoo_bridge.addons"):
                importlib.import_module(found.name)
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] not in _OURS:
            continue
        for name, value in vars(module).items():
            is_container = isinstance(value, (dict, list, set, deque, WeakKeyDictionary, WeakValueDictionary, LRU))
            is_object = type(value).__module__ == module_name and not isinstance(value, Enum)
            if not name.startswith("__") and not name.isupper() and (is_container or is_object):
                yield f"{module_name}.{name}"
