"""The waist: an ordered transactional key-value store, its key registry, and one file per engine."""
