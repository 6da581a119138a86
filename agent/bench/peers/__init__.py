"""What runs inside the environment of the peers: scripts that import nothing of ours.

`serve.py` runs one of them; each names its PACKAGES and gives functions that a request may call.
"""
