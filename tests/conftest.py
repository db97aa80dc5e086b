"""Shared settings: the same examples in every run unless more are asked for."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "symconv",
    deadline=None,
    derandomize="SYMCONV_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("symconv")
