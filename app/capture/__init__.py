"""Capture of changes: triggers on the tables that followed models need, put in place and taken away."""
