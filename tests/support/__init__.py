"""Shared by the tests of all families: processes, instruction sets, threads, fork, Ctrl-C, hostile arrays."""
