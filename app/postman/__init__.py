"""A Postman collection (format 2.1) of published APIs, for people who try before they program."""
