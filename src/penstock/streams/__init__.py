"""The log of changes: streams, shards, sequence numbers, iterators, retention."""
