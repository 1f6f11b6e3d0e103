"""The command line: wiring only, one file for each group of commands."""

from stoker.cli.root import main

__all__ = ["main"]
