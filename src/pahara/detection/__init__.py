"""Frames -> detections: ONNX models, OpenCV fallbacks, the motion gate."""
