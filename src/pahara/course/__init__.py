"""The 56 days (built in a later issue)."""
