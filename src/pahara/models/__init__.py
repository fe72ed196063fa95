"""Neural networks, one file each (built in a later issue)."""
