"""Observability: metrics of all processes, logs, traces, and the checks of readiness."""
