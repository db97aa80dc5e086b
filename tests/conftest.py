"""Shared settings: the same examples in every run unless more are asked for."""

from __future__ import annotations

import os

import pytest
from browsing import chromium
from hypothesis import HealthCheck, settings

settings.register_profile(
    "symconv",
    deadline=None,
    derandomize="SYMCONV_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("symconv")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A headless Chromium; modules that ask for one skip where it is missing."""
    driver = chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()
