"""The test controls: what a test may do with time and with streams, beside the API of AWS.

They are there only where the server was started with `--test-controls`, each at a path of its own
below `PATH`. Nobody signs them.
"""

PATH = "/_penstock/control/"
