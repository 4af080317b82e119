"""Tests for the table of a server's processes."""

from __future__ import annotations

import os

from serving.process_table import ProcessTable


def test_a_table_knows_nobody_before_an_arbiter_serves() -> None:
    table = ProcessTable()
    assert (table.arbiter, table.wanted, table.workers()) == (0, 0, {})


def test_an_arbiter_says_who_it_is_and_how_many_workers_it_wants() -> None:
    table = ProcessTable()
    table.want(3)
    assert (table.arbiter, table.wanted) == (os.getpid(), 3)


def test_a_worker_has_the_lowest_place_that_is_free() -> None:
    table = ProcessTable()
    for age in (-1, 1, 2):
        table.reserve(age)
        table.enter(age, 100 + age)
    assert table.workers() == {0: 99, 1: 101, 2: 102}
    table.leave(1)
    table.reserve(3)
    assert table.workers() == {0: 99, 2: 102}  # reserved, and not there yet
    table.enter(3, 103)
    assert table.workers() == {0: 99, 1: 103, 2: 102}


def test_a_reserved_place_is_not_given_twice() -> None:
    table = ProcessTable()
    table.reserve(1)
    table.reserve(2)
    table.enter(2, 102)
    table.enter(1, 101)
    assert table.workers() == {0: 101, 1: 102}


def test_what_a_forked_worker_writes_is_seen_by_the_others() -> None:
    table = ProcessTable()
    table.reserve(1)
    pid = os.fork()
    if pid == 0:
        table.enter(1, os.getpid())
        os._exit(0)
    os.waitpid(pid, 0)
    assert table.workers() == {0: pid}


def test_workers_beyond_the_table_are_left_out() -> None:
    table = ProcessTable()
    for age in range(300):
        table.reserve(age)
        table.enter(age, 1000 + age)
    assert len(table.workers()) == 256
    table.leave(299)
    table.leave(0)
    assert min(table.workers()) == 1
