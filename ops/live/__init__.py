"""The live role: sockets that show what happens, as it happens.

Purpose: everybody who watches an event gets a snapshot of a topic and then its
updates, and a storm of viewers costs the door nothing: the role shares only the
stores with the desk, and asks them once per event, never once per socket.

Shape: `topics`, `codes`, `protocol`, `frames`, `state` and `packing` decide and are
pure; `hub`, `connection`, `feed`, `sources`, `plan`, `auth` and `server` are shells.

Concurrency: one event loop. One reader task a process (`feed.Reader`), one publisher
task for each event that somebody watches, one task a socket that reads its frames.
Whatever is sent to many is encoded once into a finished websocket frame and written
to each transport; nothing waits for a slow socket.

Invariants
- an update's `data` is absolute; it says from which offset (`prev`) it is complete
- a socket gets the gapless sequence of a topic, or a snapshot; a new epoch always
  begins with a snapshot
- a topic sends at most four updates a second, and something at least every 10 s
- the bytes waiting for a socket are bounded; a socket that falls behind gets one fresh
  snapshot instead of what it missed, and is closed (4008) the second time in a minute
- neither Litestar nor the CRM is imported (`ops serve live` starts fast, stays small)

Dependencies: `ops.cache` for keys and entries, asyncpg, redis, websockets, msgspec.
"""
