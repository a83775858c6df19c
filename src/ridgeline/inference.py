"""`linear_inference` under the name that its first users know; it lives in `ridgeline.statistics`."""

from .statistics.inference import LinearInference, linear_inference

__all__ = ["LinearInference", "linear_inference"]
