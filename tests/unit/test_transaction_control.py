"""Which SQL ends, begins or changes a transaction, whatever stands around it."""

from __future__ import annotations

import pytest

from odoo_bridge.transaction_control import holds_values_apart, transaction_control


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("COMMIT", "COMMIT"),
        ("commit", "COMMIT"),
        ("  \n\t CoMmIt ;", "COMMIT"),
        ("COMMIT AND CHAIN", "COMMIT"),
        ("COMMIT PREPARED 'x'", "COMMIT"),
        ("END", "END"),
        ("END TRANSACTION", "END"),
        ("ABORT", "ABORT"),
        ("ROLLBACK", "ROLLBACK"),
        ("ROLLBACK WORK", "ROLLBACK"),
        ("ROLLBACK AND CHAIN", "ROLLBACK"),
        ("ROLLBACK PREPARED 'to'", "ROLLBACK"),
        ("BEGIN", "BEGIN"),
        ("START TRANSACTION READ WRITE", "START"),
        ("PREPARE TRANSACTION 'x'", "PREPARE"),
        ("SET TRANSACTION READ WRITE", "SET"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "SET"),
        ("SET LOCAL transaction_read_only = off", "SET"),
        ('SET "transaction_read_only" TO off', "SET"),
        ("RESET transaction_read_only", "RESET"),
        ("SET standard_conforming_strings = off", "SET"),
        ("-- a comment\nCOMMIT", "COMMIT"),
        ("/* a /* nested */ comment */COMMIT", "COMMIT"),
        ("/**/COMMIT", "COMMIT"),
        ("COMMIT--", "COMMIT"),
        ("SELECT 1; COMMIT", "COMMIT"),
        ("SELECT ';';COMMIT", "COMMIT"),
        (";;COMMIT", "COMMIT"),
        ("SELECT 'it''s'; COMMIT", "COMMIT"),
        (r"SELECT E'it\'s'; COMMIT", "COMMIT"),
        ("SELECT E'a'\n'\\''; COMMIT", "COMMIT"),
        (r"SELECT 'a\'; COMMIT; SELECT '", "COMMIT"),
        ("SELECT E'a' -- more\n'\\''; COMMIT --'", "COMMIT"),
        ("SELECT E'a'\r'\\''; COMMIT --'", "COMMIT"),
        ("SELECT $$;$$; COMMIT", "COMMIT"),
        ("SELECT 1 AS a\u20ac$b$; COMMIT; SELECT 2 AS a\u20ac$b$", "COMMIT"),
        ("SELECT 1a$b$; COMMIT; SELECT 2 AS a$b$", "COMMIT"),
        ("SELECT $a$ $$ ; $a$; COMMIT", "COMMIT"),
        ("SELECT (1); COMMIT", "COMMIT"),
        ("SELECT 1 AS a$b$; COMMIT; SELECT 2 AS a$b$", "COMMIT"),
    ],
)
def test_what_controls_a_transaction_is_found(text: str, word: str) -> None:
    assert transaction_control(text) == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- COMMIT",
        "/* ; COMMIT */",
        "SELECT 1",
        "SELECT 'x; COMMIT; y'",
        "SELECT E'\\'; COMMIT; --'",
        "SELECT ';\nCOMMIT'",
        'SELECT 1 AS "x; COMMIT"',
        "SELECT $$ ; COMMIT; $$",
        "SELECT $\u20ac$ ; COMMIT; $\u20ac$",
        "SELECT $body$ ; COMMIT; $$ ; COMMIT $body$",
        "SELECT commit FROM begin",
        'SELECT 1; "commit"',
        "UPDATE t SET transaction = 1",
        "SELECT CASE WHEN true THEN 1 END",
        "SAVEPOINT a",
        "RELEASE SAVEPOINT a",
        "ROLLBACK TO SAVEPOINT a",
        "rollback to a",
        "ROLLBACK WORK TO SAVEPOINT a",
        "ROLLBACK TRANSACTION TO a",
        "PREPARE a AS SELECT 1",
        "SET LOCAL statement_timeout = 1",
        "SET CONSTRAINTS ALL DEFERRED",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; COMMIT)",
        "DELETE FROM t WHERE name = 'a''; COMMIT; --'",
    ],
)
def test_what_only_looks_like_it_is_not_taken_for_it(text: str) -> None:
    assert transaction_control(text) is None


def test_a_long_statement_is_looked_at_in_one_go() -> None:
    assert transaction_control("INSERT INTO t VALUES ('" + "x" * 500_000 + "'); COMMIT") == "COMMIT"
    assert transaction_control("SELECT " + "'a'," * 20_000 + "1") is None


@pytest.mark.parametrize(
    "begun",
    [
        "E'", "E'\\'", "E'\\' E'\\'", "E'a'\n", "E''\n\n\nx", "E''--x\n", "'", "''", '"', "$", "$a", "$$", "$a$",
        "$a$b$", "E''-- -- ", "/*", "/*/", "--", "(", "a$", "1", "E", "\\", "\n",
    ],
)  # fmt: skip
def test_the_work_grows_with_the_length_whatever_is_not_ended(begun: str) -> None:
    """Patterns that go back would take years for one of these."""
    long = 25_000
    for text in (begun + "x" * long, begun * (long // len(begun)), begun + "\n" * long, begun + " 'x" * (long // 3)):
        assert transaction_control("SELECT 1; " + text) is None
        assert holds_values_apart("SELECT 1; " + text)


def test_different_dollar_quotes_that_are_not_ended_are_looked_at_once() -> None:
    assert transaction_control("SELECT 1; " + "".join(f"$a{number}$ " for number in range(50_000))) is None


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("SELECT 1", True),
        ("SELECT * FROM t WHERE a = %s AND b IN %s", True),
        ("SELECT %(one)s", True),
        ("SELECT 'a%%b', %s", True),
        ('SELECT "a" -- note\n, %s', True),
        ("SELECT '%s'", False),
        ("SELECT '%%%s'", False),
        ("SELECT E'a\\'%s'", False),
        ('SELECT "%s"', False),
        ("SELECT $a$%s$a$", False),
        ("SELECT 1 -- %s", False),
        ("SELECT /* %s */ 1", False),
        ("SELECT %(a'b)s", False),
        ("SELECT %x", False),
        ("SELECT '%s", False),
    ],
)
def test_values_are_apart_where_no_text_is_around_them(text: str, apart: bool) -> None:
    assert holds_values_apart(text) is apart
