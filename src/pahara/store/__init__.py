"""Events, trails and evidence that survive."""
