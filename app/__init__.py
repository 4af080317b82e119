"""Gatehouse: any Odoo model or method as a governed HTTP API."""
