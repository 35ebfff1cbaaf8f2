"""The painter: networks, style codes, stylizing, losses, training."""
