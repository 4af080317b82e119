"""Named parts of one document: each has a name of its own, which generators make classes of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]


@dataclass(slots=True)
class Components:
    """The named schemas and responses of one document."""

    schemas: dict[str, Schema] = field(default_factory=dict)
    responses: dict[str, Schema] = field(default_factory=dict)

    def add(self, name: str, schema: Schema) -> Schema:
        """Keep a schema under a name, and return the reference to it."""
        return {"$ref": f"#/components/schemas/{_keep(self.schemas, name, schema)}"}

    def resolve(self, schema: Schema) -> Schema:
        """Return the schema that a reference is to, or the schema itself where it is none."""
        return self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def respond(self, name: str, response: Schema) -> Schema:
        """Keep a Response Object under a name, and return the reference to it."""
        return {"$ref": f"#/components/responses/{_keep(self.responses, name, response)}"}


def _keep(kept: dict[str, Schema], name: str, value: Schema) -> str:
    """Keep a value, and return the name that it got: with a number where another value has the name."""
    numbered, number = name, 1
    while kept.setdefault(numbered, value) != value:
        number += 1
        numbered = f"{name}{number}"
    return numbered


def class_name(*texts: str) -> str:
    """Return a name for a class: ``ResPartner`` for ``res.partner``."""
    words = (word for text in texts for word in re.split(r"[^A-Za-z0-9]+", text) if word)
    return "".join(word[0].upper() + word[1:] for word in words)


def reference(name: str) -> Schema:
    """Return the reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}
