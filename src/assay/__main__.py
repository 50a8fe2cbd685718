"""Lets `python -m assay` do what the command `assay` does."""

from assay.cli import main

if __name__ == "__main__":
    main()
