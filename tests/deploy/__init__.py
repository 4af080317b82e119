"""Gatehouse put up as docs/operations.md says: as root, on Debian, as far as it goes without systemd."""
