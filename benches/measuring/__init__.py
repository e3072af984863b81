"""What the benchmarks of whole processes share. Needs Linux and Python 3.11, and no package."""
