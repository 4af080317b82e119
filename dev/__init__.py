"""Set-up of a fresh machine: Odoo's source, PostgreSQL, the demo database and the test template."""
