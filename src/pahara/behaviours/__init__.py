"""Scene -> how strongly a behaviour is present, per subject. Pure functions, no input or output."""
