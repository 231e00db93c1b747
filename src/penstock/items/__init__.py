"""Attribute values, numbers, canonical form, sizes, keys and expressions: all pure."""
