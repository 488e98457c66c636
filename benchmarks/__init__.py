"""What the project promises to reach, measured beside what others reach, in one run: `python -m benchmarks`."""
