"""Delta: the records that have changed since, and those that have gone."""
