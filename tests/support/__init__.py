"""What the tests of all families share: fresh processes, instruction sets, threads, fork, Ctrl-C, hostile arrays."""
