"""The three families of errors: API errors by service, engine errors, and our own bugs."""
