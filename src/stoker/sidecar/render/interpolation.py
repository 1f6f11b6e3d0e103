"""What Compose replaces in its files, and what it has to leave alone."""


def escape(text: str) -> str:
    """Return text that Compose leaves as it is."""
    return text.replace("$", "$$")


def required(variable: str) -> str:
    """Return what Compose replaces by the operator's value, or refuses to start without."""
    return f"${{{variable}:?set it in .env}}"
