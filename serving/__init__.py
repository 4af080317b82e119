"""Additions to gunicorn's processes: how they begin, are reloaded and end.

``gunicorn.conf.py`` puts it together. Nothing here imports ``app`` or ``odoo_bridge``.
"""
