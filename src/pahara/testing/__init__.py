"""For tests, also those of strangers' plug-ins: scripted actors and conformance checks."""

from .checks import check_behaviour, check_detector, check_tracker

__all__ = ["check_behaviour", "check_detector", "check_tracker"]
