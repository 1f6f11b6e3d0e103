"""See what a project is, and write the containers its workers need, beside the app.

Four steps, each usable alone::

    project ─ detect ─▶ Detection ─ make_plan ─▶ Plan ─ render ─▶ files ─ write ─▶ disk

``detect`` only reads, a plan is plain data that a person may edit, ``render`` sees nothing but the
plan, and ``write`` alone touches the disk. Nothing of the project is ever executed.
"""
