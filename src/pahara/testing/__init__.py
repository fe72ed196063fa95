"""For tests, also those of strangers' plug-ins: scripted actors and conformance checks."""
