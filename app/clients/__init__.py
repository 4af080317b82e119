"""Client apps: their secrets, tokens, codes, and the consents of persons."""
