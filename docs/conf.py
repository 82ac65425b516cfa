"""The site: `.ci/docs` builds it, without a network, and takes every warning for an error."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import matplotlib
from docutils import nodes
from docutils.parsers.rst import states

import steelyard

matplotlib.use("agg")

# |x| in a docstring is a length; nothing here is substituted.
states.Inliner.dispatch["|"] = lambda _, match, __: (
    match.string[: match.end("start")],
    [],
    match.string[match.end("start") :],
    [],
)

HERE = Path(__file__).parent
ROOT = HERE.parent
FAMILIES = ("rank", "weigh", "metric", "select", "dask", "datasets", "plotting")

project = "steelyard"
author = "The steelyard developers"
copyright = "The steelyard developers"  # noqa: A001
version = release = steelyard.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
language = "en"
exclude_patterns = ["notebooks/*.ipynb", "auto_*/*.ipynb", "auto_*/*.py", "tutorials", "gallery"]
templates_path = ["_templates"]
default_role = "py:obj"  # `name` in a docstring: a link where there is a page, else code
pygments_style = "friendly"
pygments_dark_style = "monokai"
smartquotes = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "steelyard"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # they are fetched, which a page opened from disk may not do
html_theme_options = {"navigation_with_keys": True}

# A page an object. Names that differ by capitals alone would be one file on some systems.
autosummary_generate = True
autosummary_imported_members = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
autodoc_member_order = "alphabetical"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False


def every_name() -> list[str]:
    """All that is public, as users write it."""
    names = [f"steelyard.{name}" for name in steelyard.__all__ if not name.startswith("__")]
    for family in FAMILIES:
        module = importlib.import_module(f"steelyard.{family}")
        names += [f"steelyard.{family}.{name}" for name in module.__all__]
    return names


def filename_map() -> dict[str, str]:
    names = every_name()
    lower = [name.lower() for name in names]
    twins = [name for name in names if lower.count(name.lower()) > 1]
    return {name: f"{name}-class" for name in twins if name != name.lower()}


autosummary_filename_map = filename_map()

sphinx_gallery_conf: dict[str, Any] = {
    "examples_dirs": ["gallery", "tutorials"],
    "gallery_dirs": ["auto_gallery", "auto_tutorials"],
    "filename_pattern": r"plot_",
    "doc_module": ("steelyard",),
    "backreferences_dir": "auto_gallery/backreferences",
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "capture_repr": (),
    "show_signature": False,
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "log_level": {"backreference_missing": "info"},
}

# Pages that live elsewhere in the repository; what stands in docs is a stub with a link.
ELSEWHERE = {
    "tour": ROOT / "README.md",
    "benchmarks": ROOT / "benchmarks" / "README.md",
    "contributing": ROOT / "CONTRIBUTING.md",
    "changelog": ROOT / "CHANGELOG.md",
}
ELSE = "source-file"
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")


def read_page(app: Any, docname: str, source: list[str]) -> None:
    """Markdown as it is linked in the repository, made to link within the site."""
    path = ELSEWHERE.get(docname, HERE / f"{docname}.md")
    if not path.exists():
        return
    app.env.note_dependency(str(path))
    text = path.read_text(encoding="utf-8")
    pages = {page.resolve(): name for name, page in ELSEWHERE.items()}

    def moved(link: re.Match[str]) -> str:
        target, anchor = (path.parent / link[1]).resolve(), link[2] or ""
        if not target.exists():
            return link[0]
        if target in pages:
            target = HERE / f"{pages[target]}.md"
        if target.suffix == ".md" and target.is_relative_to(HERE):
            return f"](/{target.relative_to(HERE).as_posix()}{anchor})"
        if target.is_relative_to(HERE):
            return link[0]
        return f"]({ELSE})"  # a source file, which is not part of the site

    text = LINK.sub(moved, text)
    source[0] = re.sub(rf"\[`?([^\[\]`]*)`?\]\({ELSE}\)", r"`\1`", text)


def skip_strangers(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """What comes from scikit-learn's bases is described there."""
    target = obj.fget if isinstance(obj, property) else obj
    module = getattr(target, "__module__", "") or ""
    return True if module.startswith(("sklearn", "dataclasses")) else None


def name_thumbnails(app: Any, doctree: nodes.document) -> None:
    """A thumbnail's alternative text is the title of its example."""
    for image in doctree.findall(nodes.image):
        found = re.search(r"sphx_glr_(plot_\w+)_thumb", image["uri"])
        if found and not image.get("alt"):
            script = next(p for f in ("gallery", "tutorials") if (p := HERE / f / f"{found[1]}.py").exists())
            image["alt"] = script.read_text(encoding="utf-8").split("\n")[1]


def check_names(app: Any, env: Any) -> None:
    """Every public name has its page."""
    from sphinx.util import logging

    listed = {Path(name).name for name in env.found_docs if name.startswith("api/generated/")}
    for name in every_name():
        if autosummary_filename_map.get(name, name) not in listed:
            logging.getLogger(__name__).warning("%s has no page: add a line to docs/api", name)


def setup(app: Any) -> None:
    app.connect("source-read", read_page)
    app.connect("autodoc-skip-member", skip_strangers)
    app.connect("doctree-read", name_thumbnails)
    app.connect("env-check-consistency", check_names)
