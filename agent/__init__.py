"""The running program: command line, settings, assembly, executives, residency, server."""
