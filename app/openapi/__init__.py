"""The OpenAPI document of APIs, made from their compiled definitions as plain data."""
