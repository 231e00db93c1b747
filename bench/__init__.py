"""Measures Penstock beside its peers and beside what this machine allows: `make bench`."""
