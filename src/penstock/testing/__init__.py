"""The published test kit: clocks to move, engines that rehearse, the engine conformance suite."""
