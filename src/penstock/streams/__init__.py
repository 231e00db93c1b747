"""The log of changes: streams, shards, sequence numbers, iterators and retention. A record is bytes."""
