"""Film in, film out: index, clock, colour, decode, encode, assemble, verify."""
