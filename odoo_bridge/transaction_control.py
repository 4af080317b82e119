"""Transaction control in the text of SQL statements: what would end, begin or change a transaction.

A scanner and no parser: it knows PostgreSQL's comments, strings and quoted names (its manual, 4.1 Lexical Structure),
so that nothing that stands in one is taken for a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    --[^\r\n]*
  | (?P<comment>/\*)
  | [eE]'(?:[^'\\]+|\\.|''|'\s*\n\s*')*'      # with backslashes; a string goes on after a line break
  | '[^']*'                                   # a doubled quote is two of these
  | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
  | (?P<word>"[^"]*"|[^\W\d][\w$]*)
  | \d[\w.]*
  | (?P<mark>[;()])
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
#: Statements that begin or end a transaction, whatever follows them.
_ALWAYS = frozenset({"ABORT", "BEGIN", "COMMIT", "END", "START"})
#: What SET and RESET name where they change what the transaction may do.
_CHARACTERISTICS = frozenset({"TRANSACTION", "CHARACTERISTICS", "TRANSACTION_READ_ONLY"})
#: How many words tell what a statement is: ``SET SESSION CHARACTERISTICS``, ``ROLLBACK WORK TO``.
_TELLING = 3


def transaction_control(text: str) -> str | None:
    """Return the first word of a statement in ``text`` that controls the transaction; None where there is none.

    Savepoints are not meant: they stay within. ``text`` may hold several statements.
    """
    for words in _statements(text):
        if _controls(words):
            return words[0]
    return None


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
    position = depth = 0
    single = ";" not in text
    while token := _TOKEN.search(text, position):
        position = token.end()
        word, mark = token["word"], token["mark"]
        if token["comment"]:
            position = _comment_end(text, position)
        elif word and len(words) < _TELLING:
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


def _comment_end(text: str, position: int) -> int:
    """Return where a comment ends that has begun before ``position``; PostgreSQL's can hold others."""
    depth = 1
    while depth and (mark := _COMMENT_MARK.search(text, position)):
        depth += 1 if mark[0] == "/*" else -1
        position = mark.end()
    return len(text) if depth else position
