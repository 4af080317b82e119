"""Toolbox: the tools of all APIs that are served, made once as long as those stay what they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.mcp import naming
from app.mcp.resources import Resource, resources
from app.mcp.tools import Tool, tools
from app.operations.actions import Action
from app.operations.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class _Made:
    """The tools that were made of the endpoints that are served."""

    served: tuple[Endpoint, ...] = ()
    tools: tuple[Tool, ...] = ()
    names: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))


class Toolbox:
    """The tools of what is served, for one process."""

    def __init__(self, most_rows: int) -> None:
        """``most_rows`` are the records that an answer has at most."""
        self._most_rows = most_rows
        self._made = _Made()

    def of(self, served: tuple[Endpoint, ...], visible: Collection[Endpoint]) -> Tools:
        """Return the tools that a caller has, to whom these of the served endpoints are visible."""
        made = self._made
        if made.served is not served:
            found = tuple(tools(served, self._most_rows))
            # Replaced as a whole: another thread may be reading the one before.
            self._made = made = _Made(served, found, naming.api_names(tool.endpoint.definition for tool in found))
        seen = {id(endpoint) for endpoint in visible}
        return Tools(tuple(tool for tool in made.tools if id(tool.endpoint) in seen), made.names)


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of one caller, in order of their names; ``names`` are those of the APIs by id."""

    listed: tuple[Tool, ...]
    names: Mapping[int, str]

    def find(self, name: object) -> Tool | None:
        """Return the tool of that name."""
        return next((tool for tool in self.listed if tool.name == name), None)

    def like(self, tool: Tool, action: Action) -> Tool | None:
        """Return the tool that does something else with the same records, by the same key."""
        of = tool.endpoint
        for other in self.listed:
            at = other.endpoint
            if (at.definition.id, at.model, at.key, at.action) == (of.definition.id, of.model, of.key, action):
                return other
        return None

    @property
    def resources(self) -> list[Resource]:
        """The resources that go with the tools."""
        return resources(self.listed, self.names)
