"""What stands behind the smaller commands of `ops`, each in a module of its own.

`ops.cli` imports them by name when they are called, so that a role does not pay for
what it never runs.
"""
