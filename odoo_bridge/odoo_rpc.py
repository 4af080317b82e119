"""The switches of Odoo's own RPC, which the addon ``gatehouse`` has on Odoo's side (odoo_bridge/addons/gatehouse)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from .transaction import Environment

#: The folder that belongs into Odoo's ``addons_path``.
ADDONS = Path(__file__).parent / "addons"
_MODEL = "gatehouse.rpc"


class Addon(Enum):
    """Place of the addon: in this registry, in the database alone (this process can't find its code), or nowhere."""

    LOADED = auto()
    ELSEWHERE = auto()
    MISSING = auto()


@dataclass(frozen=True, slots=True)
class Switch:
    """One protocol of Odoo's, where its routes begin, and whether Odoo refuses its calls."""

    key: str
    label: str
    path: str
    refused: bool


def addon(root: Environment) -> Addon:
    """Find the addon."""
    if _MODEL in root.registry:
        return Addon.LOADED
    module = root["ir.module.module"].search_count([("name", "=", "gatehouse"), ("state", "=", "installed")])
    return Addon.ELSEWHERE if module else Addon.MISSING


def switches(root: Environment) -> tuple[Switch, ...]:
    """Return all switches; none without the addon."""
    return tuple(Switch(**found) for found in root[_MODEL]._switches()) if _MODEL in root.registry else ()


def switch(root: Environment, refused: Collection[str]) -> None:
    """Close the protocols with these keys, and open all others."""
    root[_MODEL]._switch(refused)
