"""The Model Context Protocol: endpoints of APIs as tools for AI agents. Values in, values out: Flask is above."""
