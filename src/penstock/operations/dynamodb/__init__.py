"""The actions of the DynamoDB service."""
