"""What moves: flow, confidence, analysis."""
