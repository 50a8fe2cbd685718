"""New labelled rows: where each goes, what the checks will say of them, and how they are added."""
