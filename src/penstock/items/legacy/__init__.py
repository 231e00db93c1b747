"""The legacy parameters, from before expressions: they become the same objects."""

from penstock.items.legacy.parameters import Parameters

__all__ = ["Parameters"]
