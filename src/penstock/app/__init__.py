"""Settings, assembly and the command line."""
