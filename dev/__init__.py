"""What makes a fresh machine ready: Odoo's source, PostgreSQL, the demo database and the test template."""
