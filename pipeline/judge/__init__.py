"""How good it is: temporal, detail, style, tables."""
