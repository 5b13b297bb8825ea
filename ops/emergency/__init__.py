"""Emergencies: stop, freeze, publish; who is inside and safe; all-clear, re-opening.

Pure: `steps`, `rollcall`, `readmission`. The doors are stopped and opened by
`ops.attendance.stops` and by nothing else; who may come back after a storm stands in
`ops.exemptions`, which every door reads anyway. Every step is safe to repeat: it looks
at what was done and does the rest. Nothing here is on the path of a scan.
"""
