"""Benchmarks: each prints what it measured, and cleans up after itself."""
