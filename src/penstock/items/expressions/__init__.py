"""Expressions of the DynamoDB language: parsed once, cached, then evaluated against items."""
