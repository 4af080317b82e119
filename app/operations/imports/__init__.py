"""Imports: records as lines of a body of any length, each of which is answered by a line."""
