"""The site of the documentation: Markdown read by MyST, shown by Furo. `make docs` builds it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

project = "Assay"
copyright = "the Assay developers"  # noqa: A001 (Sphinx's name)
html_title = "Assay"
html_theme = "furo"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "reference_pages",
]
# a heading is linked by the anchor that GitHub gives it
myst_heading_anchors = 4
highlight_language = "none"
# p' is a name and -- begins an option
smartquotes = False

# docstrings of the package put code between single backticks
default_role = "literal"
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
# types of other libraries have their documentation elsewhere, and a build asks no network
nitpick_ignore_regex = [("py:.*", ".*")]
