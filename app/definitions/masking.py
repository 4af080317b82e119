"""Masking of logged bodies: passwords and the like, what an API names, and binary content.

Names are compared without regard to case, at any depth: keys of objects, fields in conditions of a domain, properties
by their name or label, positional arguments of a method by its parameters. A value that was hidden in one place is
hidden in every other text of the same call as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from app import literals
from app.definitions.secrets import is_secret_field
from app.errors import BadRequest
from app.json import dumps

MASK = "***"

#: Names that are hidden wherever they are part of a name, written in whatever way: accessToken, X-Api-Key, PASSWORD2.
_ALWAYS = ("password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "privatekey", "accesskey",
           "credential", "authorization", "cookie", "sessionid")  # fmt: skip
#: What is nested deeper is left out: more than any input may have.
_MAX_DEPTH = 60
#: Longer text is no name, but may hold one.
_LONGEST_NAME = 200
#: Hidden values that are this long are looked for in other texts: shorter ones would be found everywhere.
_MIN_SECRET, _MAX_SECRETS = 4, 200
#: Messages cut the long values that they repeat: so many characters of one tell it.
_HEAD = 20
#: Long text without a space, in base64: content of a file, whatever the key.
_MIN_CONTENT, _BASE64 = 512, re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class Masking:
    """The masking of one API. ``names`` and ``binary`` (fields that hold content) are casefolded.

    ``parameters`` are the names of a method's positional arguments, in order.
    """

    names: frozenset[str] = frozenset()
    binary: frozenset[str] = frozenset()
    parameters: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str], binary: Iterable[str] = (), parameters: Iterable[str] = ()) -> Masking:
        """Return the masking of these names, however they are written."""
        return cls(_folded(names), _folded(binary), tuple(parameters))

    def hides(self, name: str) -> bool:
        """True if the value of a key, or of a field at the end of a path, is hidden."""
        return any(
            step.casefold() in self.names
            or is_secret_field("", step.casefold())
            or any(part in "".join(filter(str.isalnum, step.casefold())) for part in _ALWAYS)
            for step in name.split(".")
        )

    def mentions(self, text: str) -> bool:
        """True if a text that can't be taken apart may hold what is hidden."""
        plain = unquote_plus(text).casefold()
        letters = "".join(filter(str.isalnum, plain))
        return (
            "\\" in plain  # which can write any name otherwise
            or any(part in letters for part in _ALWAYS)
            or any(self.hides(word) for word in re.findall(r"[^\W\d][\w-]*", plain))
            or any(name in plain for name in self.names)
        )


#: Hides what is always hidden.
NOTHING_NAMED = Masking()


@dataclass(slots=True)
class Mask:
    """Masking of one call's bodies, which remembers the masked values to find them elsewhere.

    ``is_blind`` where it does not know all of them.
    """

    masking: Masking
    secrets: set[str] = field(default_factory=set)
    is_blind: bool = False
    _hidden: dict[str, bool] = field(default_factory=dict)

    def request(self, document: Any) -> Any:
        """Mask a request's JSON, in or out of its envelope."""
        if isinstance(document, dict) and document.get("jsonrpc") == "2.0" and isinstance(document.get("params"), list):
            return {**self.value(document), "params": self._arguments(document["params"])}
        return self._arguments(document) if isinstance(document, list) else self.value(document)

    def value(self, value: Any, depth: int = 0) -> Any:
        """Mask a value."""
        if depth > _MAX_DEPTH:
            self.is_blind = True
            return "(nested too deep)"
        if isinstance(value, dict):
            labelled = any(self._hides(value[key]) for key in ("name", "string") if _is_text(value.get(key)))
            return {key: self._item(str(key), item, depth, labelled) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            if len(value) == 3 and _is_text(value[0]) and _is_text(value[1]) and self._hides(value[0]):
                return [value[0], value[1], self._hide(value[2])]
            return [self.value(item, depth + 1) for item in value]
        return self._text(value, depth) if isinstance(value, str) else value

    def scrub(self, value: Any) -> Any:
        """Return a value in which what was hidden elsewhere is hidden too."""
        text = dumps(value)  # searched at once: most secrets are nowhere else
        found = [secret for secret in self.secrets if dumps(secret[:_HEAD])[1:-1] in text]
        return _without(value, sorted(found, key=len, reverse=True)) if found else value

    def _item(self, key: str, item: Any, depth: int, labelled: bool) -> Any:
        if self._hides(key) or (labelled and key in ("value", "default")):
            return self._hide(item)
        if key.casefold() in self.masking.binary and isinstance(item, str) and item and not item.startswith("/api/"):
            return _content(item)
        if key == "fields" and isinstance(item, list):  # names, and no condition
            return item if all(map(_is_text, item)) else self.value(item, depth + 1)
        return self.value(item, depth + 1)

    def _arguments(self, values: list[Any]) -> list[Any]:
        """Return positional arguments; in the body of any other API a list has no parameters."""
        names = [*self.masking.parameters, *([""] * len(values))]
        hidden = [bool(name) and self._hides(name) for name in names[: len(values)]]
        if not any(hidden):
            shown: list[Any] = self.value(values)
            return shown
        return [self._hide(item) if hide else self.value(item) for item, hide in zip(values, hidden, strict=True)]

    def _text(self, text: str, depth: int) -> Any:
        if len(text) >= _MIN_CONTENT and _BASE64.fullmatch(text):
            return _content(text)
        if text.lstrip()[:1] not in ("[", "{", "("):
            return text
        try:
            inner = literals.parse(text, "text")  # a domain, or JSON within JSON
        except BadRequest:
            if not self.masking.mentions(text):
                return text
            self.is_blind = True
            return MASK
        shown = self.value(inner, depth + 1)
        if shown == _lists(inner):
            return text
        try:
            return dumps(shown).decode()
        except TypeError:  # Python's bytes or sets
            return MASK

    def _hides(self, name: str) -> bool:
        """Like ``Masking.hides``, asked once for each name: bodies repeat theirs."""
        if len(name) > _LONGEST_NAME:
            return self.masking.mentions(name)
        if name not in self._hidden:
            self._hidden[name] = self.masking.hides(name)
        return self._hidden[name]

    def _hide(self, value: Any) -> str:
        for text in _leaves(value):
            if len(text) < _MIN_SECRET or text in self.secrets:
                continue
            if len(self.secrets) >= _MAX_SECRETS:
                self.is_blind = True
                break
            self.secrets.add(text)
        return MASK


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def _without(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = _without_one(value, secret)
    return value


def _without_one(text: str, secret: str) -> str:
    """Return a text without a secret, and without the beginning of one that is long."""
    head, parts, at = secret[:_HEAD], [], 0
    while (found := text.find(head, at)) >= 0:
        end = found + len(head)
        while text[end : end + 1] and text[end] == secret[end - found : end - found + 1]:
            end += 1
        parts.append(text[at:found] + MASK)
        at = end
    return "".join(parts) + text[at:]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _content(text: str) -> str:
    return f"(content, {len(text)} characters)"


def _lists(value: Any) -> Any:
    """Tuples as lists, to compare."""
    if isinstance(value, (list, tuple)):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value


def _leaves(value: Any) -> Iterator[str]:
    """Every text and number within a value; iterative, so that depth costs no stack."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
        elif isinstance(item, str):
            yield item
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            yield str(item)
