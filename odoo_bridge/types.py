"""Values that the bridge gives and takes, plain and frozen: importable without Odoo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

#: The user whom neither access rights nor record rules bind (odoo/api.py, SUPERUSER_ID).
SUPERUSER = 1
#: How a search counts the records that match: all of them, few of them exactly and many about, or not at all.
CountMode: TypeAlias = Literal["exact", "estimate", "none"]
COUNT_MODES: tuple[CountMode, ...] = get_args(CountMode)


#: Odoo's recordsets. Odoo has no types of its own to offer.
Recordset: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of a model.

    ``has_default`` says that Odoo fills the field where a new record is given no value; ``relation`` is the comodel
    of a relational field; ``selection`` the allowed values (value, label);
    ``model_field`` names the field that holds the model of a many2one_reference; ``image`` tells an image from
    other binaries; ``owns_lines`` says that taking a line out of a one2many deletes it; ``origin`` is the
    (model, field) at the end of a related field's path; ``restricted`` says that Odoo keeps the field from
    everybody but itself; ``company_dependent`` that each company has a value of its own; ``exact`` that two values
    which look alike are equal, as floats of double precision need not be; ``groupable`` that Odoo can group records
    by it, or by a part of it; ``aggregator`` is the function that Odoo adds its values up by, also where it is no
    column; ``followed`` that its changes can be told, as it is stored, here or in a parent.
    """

    model: str
    name: str
    type: str
    label: str
    help: str
    required: bool
    has_default: bool
    writable: bool
    stored: bool
    searchable: bool
    sortable: bool
    translated: bool
    relation: str | None
    selection: tuple[tuple[str, str], ...]
    size: int | None
    model_field: str | None
    image: bool
    origin: tuple[str, str]
    owns_lines: bool
    restricted: bool
    groups: str | None
    company_dependent: bool = False
    exact: bool = True
    groupable: bool = True
    aggregator: str | None = None
    followed: bool = True

    @property
    def to_many(self) -> bool:
        """True if a value is a list of records."""
        return self.type in ("one2many", "many2many")

    @property
    def must_be_given(self) -> bool:
        """True if a new record needs a value that Odoo does not fill in."""
        return self.required and not self.has_default

    @property
    def relational(self) -> bool:
        """True if a value names records of ``relation``."""
        return self.relation is not None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model: its fields, its default order, and what Odoo looks at when a record is searched by name.

    ``name_search_fields`` are paths, as in Odoo's ``_rec_names_search``; ``parent_field`` makes a hierarchy.
    """

    name: str
    label: str
    abstract: bool
    transient: bool
    order: str
    active_field: str | None
    parent_field: str | None
    name_search_fields: tuple[str, ...]
    fields: Mapping[str, FieldInfo]

    @classmethod
    def opaque(cls, name: str) -> ModelInfo:
        """Return a model of which nothing but its records' ids is known."""
        return cls(name, name, False, False, "id", None, None, (), MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method. ``default`` is plain data, or None where there is none or it is none.

    ``default_type`` and ``annotation`` are names of types, empty where there are none; ``handed_to`` is the place in
    the source where the method hands the argument on to what takes any field, or None.
    """

    name: str
    required: bool
    default: Any
    keyword: bool
    positional: bool
    default_type: str = ""
    annotation: str = ""
    handed_to: str | None = None


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """Signature of a method.

    ``more_keywords`` and ``more_positional`` tell that it takes any (``**kwargs``, ``*args``); ``doc`` is its
    docstring; ``on_model`` that it is no matter of single records (``@api.model``). ``generic`` tells that it is one
    of all models or of a mixin; ``rest`` names ``*args`` and ``**kwargs``, each with where they are handed on, or None.
    """

    model: str
    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    more_keywords: bool
    more_positional: bool
    on_model: bool
    generic: bool = False
    rest: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model with records of its own: its name, its label, and the addon that brings it.

    ``depth`` says how deep in Odoo's menus people find it, from 1; None where they don't.
    """

    name: str
    label: str
    addon: str
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Number of records of a model; ``exact`` is False for an estimate."""

    number: int
    exact: bool


@dataclass(frozen=True, slots=True)
class MethodSummary:
    """One of a model's methods for who chooses: name, parameters as text, and the first line of its docstring."""

    name: str
    signature: str
    doc: str


@dataclass(frozen=True, slots=True)
class Records:
    """A recordset in a result: ids, which the API shows in its own form."""

    model: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Fields to read of a record: ``plain`` fields as they are, and ``related`` fields with fields of their own.

    ``open`` says that nobody named the plain fields: those that Odoo refuses to the user are left out.
    """

    plain: tuple[str, ...]
    related: Mapping[str, Selection]
    open: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All fields of the record itself."""
        return (*self.plain, *self.related)


@dataclass(frozen=True, slots=True)
class Length:
    """Number of records that match a search (None: not counted), and whether it is an estimate."""

    number: int | None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Values of records, column by column: each has a value for each of ``ids``, in their order.

    ``related`` holds tables of the records to which a column's ids lead, as far as the user may see them.
    ``stamps`` tell when each record was last written, where that was asked for; None of a model that does not log it.
    """

    ids: Sequence[int]
    values: Mapping[str, Sequence[Any]]
    related: Mapping[str, Table] = field(default_factory=dict)
    stamps: Sequence[datetime | None] = ()


#: Where records without a value come in an order; None is PostgreSQL's default: as if they had the largest.
Nulls: TypeAlias = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One term of an order that a walk can go on in: a column of the model's own table.

    ``path`` is how Odoo writes it: ``partner_id.id`` for the column of a many2one.
    """

    path: str
    descending: bool = False
    nulls: Nulls | None = None

    @property
    def field(self) -> str:
        """The name of the field."""
        return self.path.removesuffix(".id")

    @property
    def nulls_first(self) -> bool:
        """True if records without a value come before the others."""
        return self.nulls == "first" if self.nulls else self.descending

    @property
    def term(self) -> str:
        """The term in Odoo's words."""
        return f"{self.path}{' desc' if self.descending else ''}{f' nulls {self.nulls}' if self.nulls else ''}"


#: Values of the sort keys of one record: its place in an order. A number with decimals is text.
Place: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk from page to page: its sort keys, the last of which is the id, and the place behind which a page begins.

    ``after`` None is the beginning.
    """

    keys: tuple[SortKey, ...]
    after: Place | None = None

    @property
    def order(self) -> str:
        """The order in Odoo's words."""
        return ", ".join(key.term for key in self.keys)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of records, and what is told of each, in Odoo's words (``BaseModel._read_group``).

    ``keys`` are what records of a group have in common: a field, or ``date:month``. ``measures`` are told of them:
    ``__count``, or ``amount:sum``. ``having`` is a domain of measures, ``order`` None is that of the keys.
    """

    keys: tuple[str, ...]
    measures: tuple[str, ...]
    having: tuple[Any, ...]
    order: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: its records, whether more follow, and how many match.

    ``last`` is the place of its last record, in a walk.
    """

    table: Table
    more: bool
    length: Length
    last: Place | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user who may execute calls."""

    uid: int
    login: str
    active: bool = True

    @property
    def is_superuser(self) -> bool:
        """True if no call may be executed as this user: access rights and record rules don't bind it."""
        return self.uid == SUPERUSER


@dataclass(frozen=True, slots=True)
class Renewal:
    """A session's new secret id after a rotation, and its lifetime in seconds: for the cookie."""

    sid: str
    max_age: int
