"""Benchmarks: cNumeric beside its peers and beside the machine's limit, interleaved in one run."""
