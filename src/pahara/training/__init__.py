"""Models from one's own data (built in a later issue)."""
