"""Analytics: the audit of changes, the request log, and statistics that are kept as they grow."""
