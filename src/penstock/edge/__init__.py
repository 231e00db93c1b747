"""The HTTP server: connections, limits, dispatch and health."""
