"""Benchmarks. Each runs its floor beside the thing in the same run and prints the ratio."""
