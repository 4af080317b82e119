"""Names that a function binds, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


def bound(function: Function) -> Iterator[str]:
    """Return all names that a function, or one in it, binds: they are not the module's."""
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
            case ast.alias(name=path, asname=alias):
                yield alias or path.partition(".")[0]
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def arguments(function: Function) -> set[str]:
    """Return the names of the parameters of a function, and of those in it."""
    return {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}


def rest(function: Function) -> list[str]:
    """Return the names of ``*args`` and ``**kwargs``."""
    return [argument.arg for argument in (function.args.vararg, function.args.kwarg) if argument]
