"""How an event begins: from a preset, or as a copy of an earlier one.

Both make a `Blueprint`, the rows of a new event by table, without asking a store; one
transaction writes it, so an event is there whole or not at all. A preset is a data file
(`data/`), a copy is what another event holds, its times moved by the wall clock of its
place. Nothing is copied that happened: no tickets, people, visits, counts.
"""
