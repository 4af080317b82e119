"""Known functions, by what they leave of a value that they are given: it, a plain value, or nobody knows.

Only what is named here is trusted. Names are those under which a function is defined, whatever a module calls it.
"""

from __future__ import annotations

import builtins
import logging
from collections.abc import Mapping
from enum import Enum
from types import ModuleType
from typing import Any


class Leaves(Enum):
    """Remainder of a value."""

    PLAIN = "a number, a flag or the like, in which no field can stand"
    CARRIES = "the value, or something made of it"
    UNKNOWN = "nobody knows"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN = _names(
    """
    builtins.abs builtins.all builtins.any builtins.bool builtins.callable builtins.float builtins.hash builtins.id
    builtins.int builtins.isinstance builtins.issubclass builtins.len builtins.print builtins.range builtins.type
    math.ceil math.floor math.isclose math.isfinite math.isnan
    datetime.date datetime.datetime datetime.timedelta decimal.Decimal
    odoo.tools.float_utils.float_compare odoo.tools.float_utils.float_is_zero odoo.tools.float_utils.float_round
    odoo.tools.misc.str2bool odoo.tools.mail.is_html_empty
    """
)
_CARRIES = _names(
    """
    builtins.bytes builtins.dict builtins.enumerate builtins.format builtins.frozenset builtins.iter builtins.list
    builtins.max builtins.min builtins.next builtins.repr builtins.reversed builtins.round builtins.set builtins.sorted
    builtins.str builtins.sum builtins.tuple builtins.zip
    ast.literal_eval base64.b64decode base64.b64encode collections.OrderedDict copy.copy copy.deepcopy itertools.chain
    json.dumps json.loads markupsafe.Markup markupsafe.escape re.escape re.findall re.fullmatch re.match re.search
    re.split re.sub
    odoo.orm.domains.Domain odoo.orm.domains.Domain.AND odoo.orm.domains.Domain.OR
    odoo.osv.expression.AND odoo.osv.expression.OR
    odoo.tools.mail.email_normalize odoo.tools.mail.email_split odoo.tools.mail.formataddr
    odoo.tools.mail.html2plaintext odoo.tools.mail.html_sanitize odoo.tools.mail.plaintext2html
    odoo.tools.misc.clean_context odoo.tools.misc.format_amount odoo.tools.misc.format_date
    odoo.tools.misc.format_datetime odoo.tools.misc.unique odoo.tools.misc.get_lang
    """
)
#: Odoo's, of which all that they define is meant: translated texts, and dates from texts and back.
_CARRYING_MODULES = ("odoo.tools.translate", "odoo.orm.fields_temporal")


def leaves(function: Any) -> Leaves:
    """Return the remainder that a function leaves of its arguments."""
    if isinstance(function, type) and issubclass(function, BaseException):
        return Leaves.PLAIN  # it is raised, and caught by what answers
    if isinstance(getattr(function, "__self__", None), logging.Logger):
        return Leaves.PLAIN
    name = name_of(function)
    if name in _PLAIN:
        return Leaves.PLAIN
    if name in _CARRIES or name.startswith(_CARRYING_MODULES):
        return Leaves.CARRIES
    return Leaves.UNKNOWN


def name_of(function: Any) -> str:
    """Return the full name of a function or class, empty where it has none."""
    name = getattr(function, "__qualname__", None)
    return f"{getattr(function, '__module__', '')}.{name}" if isinstance(name, str) else ""


def resolve(path: list[str], names: Mapping[str, Any]) -> Any:
    """Resolve ``a.b.c`` in a module's ``names``; None where it depends on more than modules and classes."""
    found = names.get(path[0], getattr(builtins, path[0], None))
    for name in path[1:]:
        if not isinstance(found, (ModuleType, type, logging.Logger)):
            return None
        found = getattr(found, name, None)
    return found
