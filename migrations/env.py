"""Alembic's environment: migrations run on the connection that the application hands over."""

from alembic import context

from migrations.tables.catalog import SCHEMA, Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
