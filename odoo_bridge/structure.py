"""The structure of models and fields, which the database, the registry and what was made of it have to agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: How often this process has taken changes of a registry back that were not committed: others may have seen them.
_taken_back = 0


def take_back() -> None:
    """Let nothing fit any more that was made until now."""
    global _taken_back
    _taken_back += 1


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The registry that something was made from, as of one of its versions."""

    registry: Any
    sequence: int
    taken_back: int

    @classmethod
    def of(cls, env: Any) -> Structure:
        """Return the structure that an environment works with."""
        return cls(env.registry, env.registry.registry_sequence, _taken_back)

    def fits(self, env: Any) -> bool:
        """True if an environment works with the same."""
        registry = env.registry
        return (
            registry is self.registry and registry.registry_sequence == self.sequence and _taken_back == self.taken_back
        )
