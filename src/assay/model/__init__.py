"""A model is trained, measured out of fold, and saved as canonical bytes."""
