"""``python -m stoker``: the command line."""

from stoker.cli import main

if __name__ == "__main__":
    main(prog_name="stoker")
