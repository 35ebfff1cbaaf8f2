"""The project's own trained weights and style codes."""
