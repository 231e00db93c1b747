"""Consumers: what carries the records of a stream on, such as event source mappings."""
