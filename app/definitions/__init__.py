"""Definitions as values: what an admin writes, and what is compiled from it. No database, no Flask."""
