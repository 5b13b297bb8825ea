"""Privacy: erase a person, tell a person all that is kept, forget what is old.

Which columns hold what a person said or is, stands in one map (`personal`), which a
test compares with the catalogue: a table that nobody has judged fails it. Erasing
replaces values and deletes the person's key; it never deletes attendees, tickets or
visits, so that every count stays what it was. All of it is plain SQL on the caller's
pool, without a web framework: routes (`ops.crm`) and duties of the sync role use it.
"""
