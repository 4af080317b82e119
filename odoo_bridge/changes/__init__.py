"""Changes of records, as triggers of PostgreSQL note them, and what they mean for one user of one API."""
