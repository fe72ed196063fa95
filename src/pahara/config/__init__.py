"""pahara.yml -> objects."""
