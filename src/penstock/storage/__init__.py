"""The waist: an ordered transactional key-value store, its key registry, its engines."""
