"""Telling someone (built in a later issue)."""
