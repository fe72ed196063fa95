"""Staged scenes with ground truth."""
