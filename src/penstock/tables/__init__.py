"""The catalogue of tables, the one write path, and reads."""
