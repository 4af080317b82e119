"""The WSGI application, for any server: ``gunicorn -c gunicorn.conf.py wsgi:app``."""

from app import create_app

app = create_app()
app.services.catalog.refresh()
