"""Attribute values, numbers, canonical form, sizes, keys and expressions: pure functions of their arguments."""
