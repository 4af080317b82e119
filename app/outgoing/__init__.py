"""Requests to servers that others name: to addresses that are checked, and to no others."""
