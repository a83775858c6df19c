"""The documentation site: `make docs` builds it into build/site with warnings as errors, and needs no network.

Pages are Markdown that a code host shows too; the lecture is a gallery of scripts that the build runs; the reference comes from the
docstrings, each checked for completeness by numpydoc.
"""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.ext import autosummary

import ridgeline

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for `reference`

from reference import INTERNAL  # noqa: E402 (beside this file)

project = "ridgeline"
version = release = ridgeline.__version__
copyright = "the authors of ridgeline; BSD-3 licence"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",  # the formulas' fonts and program, kept beside the pages
]
exclude_patterns = ["figures", "gallery", "templates"]
templates_path = ["templates"]

# Markdown: formulas between dollars, anchors for headings so that links to a section work as on a code host.
myst_enable_extensions = ["dollarmath", "deflist", "html_image"]
myst_heading_anchors = 3

# The reference.  Types stand in the text of a docstring, with shapes; the annotations would repeat half of that.
autosummary.WELL_KNOWN_ABBREVIATIONS += ("eq.", "eqs.")  # no ends of a first sentence
autosummary_context = {"internal": INTERNAL}
default_role = "py:obj"  # names between single backticks
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
add_module_names = False
numpydoc_show_class_members = False  # templates/autosummary/class.rst lists them

# Not asked for: a summary in the imperative (SS05) and a longer one after it (ES01), since a noun names what a function returns; a
# description of what is returned beside its type and shape (RT03); an order of the parameters (PR03), since those that are accepted
# without effect stand together; related names (SA01), which the reference's tables show; an example for each method (EX01), since
# tests/test_docs.py asks for one of each public name and runs it.
numpydoc_validation_checks = {
    "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06",
    "PR01", "PR02", "PR04", "PR05", "PR06", "PR07", "PR08", "PR09", "PR10", "RT01", "RT02", "RT05", "YD01",
}  # fmt: skip
numpydoc_validation_exclude = {
    r"\.Certificate$", r"\.DescentResult$", r"\.Summary$", r"\.Influence$", r"\.LinearInference$", r"\.ManyFits$",
}  # records: their fields are described as attributes

sphinx_gallery_conf = {
    "examples_dirs": str(HERE / "gallery"),
    "gallery_dirs": "learn",
    "filename_pattern": r"/\d\d_",  # all of them are run
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 5,
    "show_memory": False,
    "write_computation_times": False,
    "image_srcset": ["2x"],
    "reference_url": {"ridgeline": None},
}

html_theme = "pydata_sphinx_theme"
html_title = "ridgeline"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_use_index = False  # the reference is one page of tables, and there is a search
html_theme_options = {
    "logo": {"text": "ridgeline"},
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": [], "conventions": [], "comparison": []},  # wide tables
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "start": []}


PICTURE = re.compile(r'<picture>\s*<source[^>]*srcset="([^"]*dark[^"]*)"[^>]*>\s*<img src="([^"]*)" alt="([^"]*)"[^>]*>\s*</picture>')


def for_the_site(app: Sphinx, page: str, text: list[str]) -> None:
    """What a code host shows otherwise: links to files beside the pages, such as bench/problems.py, which the site does not hold, become
    their paths; pictures for light and dark screens follow the page's own switch."""
    text[0] = re.sub(r"\[[^]]*\]\(\.\./([\w./]+)\)", r"`\1`", text[0])
    text[0] = PICTURE.sub(r'<img class="only-light" src="\2" alt="\3">\n<img class="only-dark" src="\1" alt="\3">', text[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", for_the_site)
