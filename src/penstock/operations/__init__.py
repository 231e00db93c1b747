"""One file per API action, in a folder per service."""
