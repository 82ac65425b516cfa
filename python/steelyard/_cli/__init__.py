"""The parts of the command line; its entry point is `steelyard.cli.main`."""
