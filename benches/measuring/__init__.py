"""What the benchmarks of whole processes share. Needs Python 3.11 and Linux, and no package."""
