"""Transaction control in the text of SQL statements: what would end, begin or change a transaction.

A scanner and no parser: it knows PostgreSQL's comments, strings and quoted names (its manual, 4.1 Lexical Structure,
and src/backend/parser/scan.l), so that nothing that stands in one is taken for a statement. Its work grows with the
length of the text and no faster: patterns only find where something begins or ends, and what has no end goes to the end
of the text, as in PostgreSQL, which then runs nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Characters of names: whatever is not ASCII is one.
_FIRST, _FURTHER = r"A-Za-z_\u0080-\U0010ffff", r"A-Za-z_0-9\u0080-\U0010ffff"
_TOKEN = re.compile(
    rf"""
    --[^\r\n]*
  | (?P<comment>/\*)
  | (?P<escaped>[eE]')
  | (?P<quote>['"])
  | (?P<dollar>\$(?:[{_FIRST}][{_FURTHER}]*)?\$)
  | (?P<word>[{_FIRST}][{_FURTHER}$]*)
  | (?P<mark>[;()])
    """,
    re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_ESCAPED = re.compile(r"\\.|''|'", re.DOTALL)
#: What may stand between the parts of one string, if there is a line break.
_BETWEEN = re.compile(r"[ \t\f\v]+|(?P<break>[\r\n]+)|--[^\r\n]*")
#: Statements that begin or end a transaction, whatever follows them.
_ALWAYS = frozenset({"ABORT", "BEGIN", "COMMIT", "END", "START"})
#: What SET and RESET name where they change what the transaction may do, or how PostgreSQL reads strings.
_CHARACTERISTICS = frozenset({"TRANSACTION", "CHARACTERISTICS", "TRANSACTION_READ_ONLY", "STANDARD_CONFORMING_STRINGS"})
#: How many words tell what a statement is: ``SET SESSION CHARACTERISTICS``, ``ROLLBACK WORK TO``.
_TELLING = 3
#: psycopg2's places for values, and a percent sign.
_PLACES = re.compile(r"%(?:%|s|\(\w+\)s)", re.ASCII)


def transaction_control(text: str) -> str | None:
    """Return the first word of a statement in ``text`` that controls the transaction; None where there is none.

    Savepoints are not meant: they stay within. ``text`` may hold several statements.
    """
    for words in _statements(text):
        if _controls(words):
            return words[0]
    return None


def holds_values_apart(text: str) -> bool:
    """True if each place for a value, as ``%s``, stands by itself, and in no string, quoted name or comment.

    Then quoted values can't change what the rest of the text is.
    """
    between = 0
    for token, end in _tokens(text):
        if token["word"] or token["mark"]:
            continue
        if "%" in text[token.start() : end].replace("%%", "") or "%" in _PLACES.sub("", text[between : token.start()]):
            return False
        between = end
    return "%" not in _PLACES.sub("", text[between:])


def _controls(words: list[str]) -> bool:
    first, rest = words[0], words[1:]
    if first == "ROLLBACK":
        return "TO" not in rest  # to a savepoint
    if first == "PREPARE":
        return rest[:1] == ["TRANSACTION"]
    if first in ("SET", "RESET"):
        return not _CHARACTERISTICS.isdisjoint(word.strip('"').upper() for word in rest)
    return first in _ALWAYS


def _statements(text: str) -> Iterator[list[str]]:
    """Return the first words of each statement, in capitals but for quoted names."""
    words: list[str] = []
    depth = 0
    single = ";" not in text
    for token, end in _tokens(text):
        word, mark = token["word"], token["mark"]
        if token["quote"] == '"':
            word = text[token.start() : end]
        if word and len(words) < _TELLING:
            words.append(word if word.startswith('"') else word.upper())
            if single and len(words) == _TELLING:
                break  # nothing that follows can begin another
        elif mark == ";" and depth <= 0:  # between parentheses it is part of a rule's statement
            if words:
                yield words
            words = []
        elif mark in ("(", ")"):
            depth += 1 if mark == "(" else -1
    if words:
        yield words


def _tokens(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Return each token's beginning, and where it ends."""
    position = 0
    while token := _TOKEN.search(text, position):
        position = token.end()
        if token["comment"]:
            position = _comment_end(text, position)
        elif token["escaped"]:
            position = _escaped_end(text, position)
        elif end := token["quote"] or token["dollar"]:  # a doubled quote is two strings
            found = text.find(end, position)
            position = len(text) if found < 0 else found + len(end)
        yield token, position


def _escaped_end(text: str, position: int) -> int:
    """Return the end of a string with backslashes that has begun before ``position``."""
    while True:
        end = next((mark.end() for mark in _ESCAPED.finditer(text, position) if mark[0] == "'"), len(text))
        further = _continued(text, end)
        if further is None:
            return end
        position = further


def _continued(text: str, position: int) -> int | None:
    """Return the beginning of the next part of a string, behind a line break; None where there is none."""
    is_broken = False
    while between := _BETWEEN.match(text, position):
        is_broken = is_broken or between["break"] is not None
        position = between.end()
    return position + 1 if is_broken and text.startswith("'", position) else None


def _comment_end(text: str, position: int) -> int:
    """Return the end of a comment that has begun before ``position``; PostgreSQL's can hold others."""
    depth = 1
    while depth and (mark := _COMMENT_MARK.search(text, position)):
        depth += 1 if mark[0] == "/*" else -1
        position = mark.end()
    return len(text) if depth else position
