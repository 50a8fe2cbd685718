"""What people read of a run, and the one client of GitHub."""
