"""The only SQL and the only keychain: rows in, frozen dataclasses out, one door for each table."""
