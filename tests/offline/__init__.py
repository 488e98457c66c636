"""No test reaches beyond this machine: `sitecustomize.py` blocks the network, in tests and in programs they start."""
