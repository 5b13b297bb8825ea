"""Where the figures of the README come from, each beside its baseline of the same run.

Needs nothing but this checkout: stores, roles and clients are started here, listen on
loopback and free ports alone, and end with the run. `python -m benchmarks --help`.
"""
