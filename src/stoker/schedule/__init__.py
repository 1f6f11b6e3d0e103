"""When something is due: plain reckoning with time, without a clock and without I/O."""
