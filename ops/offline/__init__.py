"""The network's absence: what devices carry, may do alone, and bring back.

`package` is the format of what a device downloads (pure), `packages` reads and signs
it; `leases` and `modes` say what a device may admit without the server and what that
may cost; `quarantine`, `conflicts` and `proof` take in what comes back. The rules of a
door are not here: they are `ops.admission.decision`, and the device's copy of it in
kiosk/js/engine. Nothing here is on the path of a live scan, but for the recall of a
lease (`recalls`), which waits outside of the batches. docs/subsystems/offline.md.
"""
