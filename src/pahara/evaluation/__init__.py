"""How good it is: tracking, detection and event metrics with their conventions."""
