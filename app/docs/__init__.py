"""The contract that machines read: OpenAPI, made from the compiled definitions, and the page that shows it."""
