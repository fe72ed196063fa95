"""Public helpers for tests: scripted actors and conformance checks."""
