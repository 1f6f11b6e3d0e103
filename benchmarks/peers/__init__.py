"""The peer table: Stoker beside the systems that people choose today; ``make peers``."""
