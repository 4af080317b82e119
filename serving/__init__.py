"""What gunicorn's processes do besides serving the application: how they begin, are reloaded and end.

``gunicorn.conf.py`` puts it together. Nothing here imports ``app`` or ``odoo_bridge``.
"""
