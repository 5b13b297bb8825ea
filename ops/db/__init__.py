"""PostgreSQL: the tables, the connections to them, the way to the next schema.

`engine` holds the connections of a process, `models` the tables, `migrate` brings a
database to the schema of this program, `sql` the functions and triggers. Nothing here
knows a rule of the door: those stand in `ops.admission` and `ops.checkin`.
"""
