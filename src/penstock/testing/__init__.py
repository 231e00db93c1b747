"""The published test kit: a pytest plugin, and what proves engines and servers.

For users: the plugin's fixtures, and here the changes that they assert; docs/testing.md is their
page. The rest is for tests of Penstock: clocks to move, engines that rehearse, checkers, the engine
conformance suite. Importing this is cheap, because pytest does so in every run.
"""

from penstock.testing.assertions import assert_changes
from penstock.testing.changes import ItemChange, expired, inserted, modified, removed

__all__ = ["ItemChange", "assert_changes", "expired", "inserted", "modified", "removed"]
