"""The WSGI application, for any server: ``gunicorn -c gunicorn.conf.py wsgi:app``."""

from serving import environment_file

environment_file.load()

from app import create_app

app = create_app()
app.services.catalog.refresh()
