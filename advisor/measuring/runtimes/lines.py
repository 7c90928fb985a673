"""Foreign errors in one line."""


def first_line(error: BaseException) -> str:
    """First line of an error's message, with its type."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300] if lines else 'no message'}"
