"""The command line: stable verbs for people and scripts, and the worker that sends without a window."""
