"""What a verdict rests on: labels that nobody sees, or rows that everybody does."""

from typing import Literal

Evidence = Literal["sealed", "public"]
