"""Who does a step: thin shells that Ray can carry."""
