"""Import: the ticket exports of others become orders, attendees, tickets and codes.

`reading` turns bytes into rows of cells, `dialects` says whose export it is and which
column is what, `values` reads prices, times and states, `rows` makes one `ImportRow`
of a row or says why not, `plan` decides what it changes. All of them are pure. `writer`
applies a plan in chunks; `runs` carries a whole import, `routes` offers it as an API.

A bad row is named with its line and its cause, and never stops the others. The same
file imported again changes nothing.
"""
