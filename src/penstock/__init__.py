"""Penstock: tables whose every change reaches a consumer, over the DynamoDB protocols."""

__version__ = "0.1.0"
