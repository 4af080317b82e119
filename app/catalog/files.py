"""Definition files: YAML in, all or nothing, and back out. Errors name the file, the API and the key."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlalchemy import Engine

from app.catalog import store
from app.catalog.compiler import compile_document
from app.catalog.conflicts import conflicts
from app.catalog.definition import Definition
from app.catalog.document import ApiDocument
from app.catalog.odoo_source import OdooSource
from odoo_bridge.transaction import Environment

_TOP_LEVEL = ("defaults", "apis")
#: Keys that belong to one API alone and can have no default.
_OWN_KEYS = frozenset({"name", "route", "method", "models"})
_BUILT_IN = {
    name: field.get_default(call_default_factory=True)
    for name, field in ApiDocument.model_fields.items()
    if name not in _OWN_KEYS
}


class FileError(Exception):
    """A definition file cannot be imported; each line of the text is one problem."""

    def __init__(self, file: Path, problems: Iterable[str]) -> None:
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


def import_file(file: Path, engine: Engine, root: Environment, *, prune: bool) -> store.Changes:
    """Create or update the APIs of a file, in one transaction; with ``prune``, delete those it does not name.

    Raises FileError with every problem found; then nothing has been written.
    """
    content = _parse(file)
    stored = store.load(engine)
    file_defaults = _defaults(file, content.get("defaults"))
    defaults = stored.settings.get(store.DEFAULTS, {}) if file_defaults is None else file_defaults
    documents = _documents(file, content.get("apis"), defaults)
    others = () if prune else tuple(api for api in stored.apis if api.document["name"] not in documents)
    problems = _problems(documents, others, root)
    if problems:
        raise FileError(file, problems)
    return store.write(
        engine,
        [document.model_dump(mode="json") for document in documents.values()],
        defaults=file_defaults,
        prune=prune,
    )


def export_text(stored: store.Stored) -> str:
    """Return the YAML that imports into the same; keys that have their default value are left out."""
    defaults = stored.settings.get(store.DEFAULTS, {})
    apis = []
    for api in stored.apis:
        document = ApiDocument.model_validate(api.document)
        effective = {**_BUILT_IN, **_validated_defaults(defaults)}
        shown = document.model_dump(mode="json", exclude_defaults=False)
        for name, value in effective.items():
            if getattr(document, name) == value:
                del shown[name]
        if document.method is None:
            del shown["method"]
        shown["models"] = [entry.model_dump(mode="json", exclude_defaults=True) for entry in document.models]
        if not document.models:
            del shown["models"]
        apis.append(shown)
    content = {"defaults": defaults, "apis": apis} if defaults else {"apis": apis}
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its annotation is too narrow
    yaml.width = 120
    yaml.dump(content, stream)
    return stream.getvalue()


def _parse(file: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise FileError(file, [f"is not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(content, dict):
        raise FileError(file, ["must be a mapping with the key apis"])
    unknown = [str(key) for key in content if key not in _TOP_LEVEL]
    if unknown:
        raise FileError(file, [f"unknown key {key!r}; known are {', '.join(_TOP_LEVEL)}" for key in unknown])
    return content


def _defaults(file: Path, given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise FileError(file, ["defaults: must be a mapping"])
    own = sorted(str(key) for key in given if key in _OWN_KEYS)
    if own:
        raise FileError(file, [f"defaults: {key}: belongs to each API and can have no default" for key in own])
    try:
        _validated_defaults(given)
    except ValidationError as error:
        raise FileError(file, [f"defaults: {problem}" for problem in _shape_problems(error)]) from error
    return given


def _validated_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of ``defaults`` as an API would have them."""
    sample = ApiDocument.model_validate({**given, "name": "defaults", "route": "/api/-", "type": "key_authentication"})
    return {name: getattr(sample, name) for name in given if name != "type"} | {
        name: given[name] for name in given if name == "type"
    }


def _documents(file: Path, apis: Any, defaults: Mapping[str, Any]) -> dict[str, ApiDocument]:
    if not isinstance(apis, list):
        raise FileError(file, ["apis: must be a list of APIs"])
    documents: dict[str, ApiDocument] = {}
    problems = []
    for index, api in enumerate(apis):
        if not isinstance(api, dict):
            problems.append(f"apis[{index}]: must be a mapping of keys to values")
            continue
        title = f"API {api['name']!r}" if isinstance(api.get("name"), str) else f"apis[{index}]"
        try:
            document = ApiDocument.model_validate({**defaults, **api})
        except ValidationError as error:
            problems += [f"{title}: {problem}" for problem in _shape_problems(error)]
            continue
        if document.name in documents:
            problems.append(f"{title}: name: another API of this file has the same name")
        documents[document.name] = document
    if problems:
        raise FileError(file, problems)
    return documents


def _problems(documents: Mapping[str, ApiDocument], others: Iterable[store.StoredApi], root: Environment) -> list[str]:
    """Return what does not fit Odoo, and which routes are claimed twice, also by APIs that are there already."""
    source = OdooSource(root, {})
    found = []
    published: list[Definition] = []
    for document in documents.values():
        definition, problems = compile_document(document, source)
        found += [f"API {document.name!r}: {problem}" for problem in problems]
        published.append(definition)
    for other in others:
        published.append(compile_document(ApiDocument.model_validate(other.document), source)[0])
    return found + [
        f"API {first.name!r}: route: {path} is also claimed by API {second.name!r}"
        for first, second, path in conflicts(published)
    ]


def _shape_problems(error: ValidationError) -> list[str]:
    """Return pydantic's findings in the words of a definition: ``models[0].fields: …``."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        key = ""
        for part in item["loc"]:
            if isinstance(part, int):
                key += f"[{part}]"
            elif not part.startswith(("list[", "literal[")):
                key += f".{part}" if key else part
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        found.append(f"{key}: {message}" if key else message)
    return list(dict.fromkeys(found))
