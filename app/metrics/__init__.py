"""Prometheus metrics, added up over all workers: ``GET /metrics``, for those who know the token."""
