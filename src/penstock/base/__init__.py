"""Clock, randomness, limits and errors: what every other room stands on; standard library only."""
