"""Pictures are compared in the gates, where matplotlib has one version: ``pytest --mpl tests/pictures``."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("pytest_mpl") else ["test_pictures.py"]
