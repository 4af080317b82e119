"""Bodies set out for reading, in the panel."""

from __future__ import annotations

import json

from app.blueprints.admin.pretty import pretty


def test_json_is_shown_on_lines_also_where_it_was_cut() -> None:
    document = {"a": [1, {"b": 'x, {y}" '}], "c": {}, "d": []}
    assert json.loads(pretty(json.dumps(document))) == document
    assert pretty('{"a":[1,{"b":"cut of').splitlines()[-1] == '      "b": "cut of'
    assert pretty("name=1, 2") == "name=1, 2"
