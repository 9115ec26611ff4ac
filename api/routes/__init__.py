"""A module per subject."""
