"""The loop: frames in, moments out."""
