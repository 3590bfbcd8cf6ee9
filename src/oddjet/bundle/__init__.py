"""Detectors to publish: one ONNX graph from physical features to scores, thresholds, a card, check jets."""
