"""What can be learned: pictures, objects, actions, and what is unusual. One file each; `job.py` is what they share."""
