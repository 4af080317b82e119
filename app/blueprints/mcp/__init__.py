"""The door of AI agents: the Model Context Protocol at ``/api/mcp``, contract section 11."""
