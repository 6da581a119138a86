"""The rules that a trace is judged by, a group of them in each module."""
