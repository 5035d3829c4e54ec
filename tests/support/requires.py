"""What a test needs and a machine may lack: the test is skipped with the remedy, and fails where CI is true."""

import os
from typing import NoReturn

import pytest


def missing(component: str, remedy: str) -> NoReturn:
    """Ends the test: a skip that names the remedy, or a failure where nothing may be missing."""
    reason = f"{component} is missing: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
