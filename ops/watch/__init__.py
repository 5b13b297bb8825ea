"""What people in the control room should hear of: alerts, evidence, forecasts, shifts.

Purpose: rules and estimates over what the doors wrote down; nothing here is on a scan's
path. Concurrency: any number of processes may look; the row of `ops.watches` (alerts)
and of `ops.forecasts` is locked by whoever does, the others pass on. Life cycle:
`Watcher.turn` is a duty of the sync role; the api role reads and acknowledges, the
live role reads. Invariants: at most one open alert an event, rule and subject; what is
raised, cleared or estimated follows from rows and a clock (PostgreSQL's), never from
what a process happened to see. The sketch is docs/subsystems/watch.md.
"""
