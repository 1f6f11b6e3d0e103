"""Python's collector of cycles, in a process that only works.

A job makes a dozen objects, which are gone with it and need no collector; but by their number they
set it off, again and again, also on all that the application has loaded. That was a fifth of what a
worker does for a job.
"""

from __future__ import annotations

import gc

EAGER, CALM = 700, 2_000
"""How many more objects there may be than at the last look, before the young ones are looked at: as
Python has it up to 3.12, and from then on. Any other number is the application's choice. More would
gain more, at the price of memory where handlers leave large things behind in cycles."""


def settle() -> None:
    """Leave out what is loaded by now, and look less often."""
    if not gc.isenabled():
        return
    gc.collect()
    gc.freeze()
    young, *older = gc.get_threshold()
    if young == EAGER:
        gc.set_threshold(CALM, *older)
