"""YAML in and out, as text. Only definition files and one form of the panel need it."""

from __future__ import annotations

import io
from typing import Any


class NotYaml(ValueError):
    """The text is no YAML; the message says where."""


def parse(text: str) -> Any:
    """Return what a text says, as plain data; raises NotYaml."""
    # ruamel.yaml takes 3 MB of every worker: it is imported by whoever reads or writes YAML, and not by a call.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise NotYaml(" ".join(str(error).split())) from error


def dump(content: Any) -> str:
    """Return plain data as YAML, its keys in the order that they have."""
    from ruamel.yaml import YAML  # noqa: PLC0415  see parse

    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its annotation is too narrow
    yaml.width = 120
    yaml.dump(content, stream)
    return stream.getvalue()
