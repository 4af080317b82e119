"""Exports: all that a search finds, from one snapshot, in a format for programs that read much."""
