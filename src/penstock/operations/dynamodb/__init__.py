"""The actions of the DynamoDB service."""

TARGET = "DynamoDB_20120810."
