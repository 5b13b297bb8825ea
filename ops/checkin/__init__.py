"""The door: codes, the desk that answers scans, and what belongs to it.

`codes` reads and makes ticket codes (pure), `keys` keeps the signing keys, `qr` draws
codes. `docs/subsystems/codes.md` holds the format.
"""
