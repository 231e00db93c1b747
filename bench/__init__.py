"""Measures Penstock beside its peers and beside floors taken on the same machine: `make bench`."""
