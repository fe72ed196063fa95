"""Dashboard and API (built in a later issue)."""
