"""Small honest changes to the shipped example's repository, and what becomes of each."""
