"""The actions of Lambda, one module each, named after the action."""

SERVICE = "lambda"
"""What a request is signed for."""
