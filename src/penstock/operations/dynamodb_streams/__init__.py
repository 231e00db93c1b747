"""The actions of the DynamoDB Streams service."""
