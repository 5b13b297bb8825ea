"""The admission core: who may come in, once and only once.

`decision` is the only rule engine: it takes a plan, the facts of a ticket and a scan,
and returns a verdict with the rows to write. `batch` is the protocol (admission.md,
core.md): a generator that yields commands and takes replies, so that the same code
runs under the desk and under the simulation. Neither awaits, reads a clock or knows a
store; `from_cache` and `from_database` turn replies of the two stores into the same
facts. `journal` is the file that remembers every green.
"""
