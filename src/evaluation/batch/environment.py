"""Variables of the environment that hold for a block."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def set_variables(changes: dict[str, str | None]) -> Iterator[None]:
    """Set variables as long as the block lasts, then put back what was there.

    Parameters
    ----------
    changes
        Value of each variable; None = not set.
    """
    before = {name: os.environ.get(name) for name in changes}
    _apply(changes)
    try:
        yield
    finally:
        _apply(before)


def _apply(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
