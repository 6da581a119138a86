"""The models that there are: listed, pulled, probed and timed."""
