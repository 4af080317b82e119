"""The page that shows the OpenAPI document, and the document for whoever may call what it describes."""
