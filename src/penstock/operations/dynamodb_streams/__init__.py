"""The actions of the DynamoDB Streams service."""

TARGET = "DynamoDBStreams_20120810."
