"""Odoo's own server, started with this file in place of ``odoo-bin``: its arguments are Odoo's.

A prefork server also starts itself with the argument ``gevent``, for websockets, and again and again where gevent is
not installed. Nothing here uses websockets: that process just waits.
"""

from __future__ import annotations

import runpy
import signal
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["gevent"]:
        signal.pause()
    runpy.run_module("odoo", run_name="__main__")
