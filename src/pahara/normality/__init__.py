"""What is normal for this camera (built in a later issue)."""
