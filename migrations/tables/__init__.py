"""The tables as SQLAlchemy models: what the migrations lead to. The server itself works in SQL and loads none of it."""
