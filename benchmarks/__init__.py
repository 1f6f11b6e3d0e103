"""Measures Stoker, beside a peer and beside what the machine can do at all: ``make bench``."""
