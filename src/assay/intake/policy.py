"""What `assay.toml` may say about the intake of a table."""

from typing import Literal

Rule = Literal["refuse", "median", "mean", "lowest", "highest", "first"]
