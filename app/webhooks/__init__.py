"""Webhooks: calls to the servers of others, which tell them of changes."""
