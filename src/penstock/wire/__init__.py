"""Shapes, protocols and signatures as they stand on the wire; no sockets."""
