"""The frames between: harmonise, warp, blend."""
