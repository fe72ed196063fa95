"""Detections -> tracks: association, Kalman filter, trails."""
