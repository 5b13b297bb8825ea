"""The ticket cache: what the door needs to know, in Redis, without rules.

Everything of an event lies under one hash tag, so its scripts are atomic also on a
cluster. The cache is a copy: PostgreSQL decides, and a cache that is missing, older
in layout, warming, or in another Redis process than the one that was warmed is
*cold* and not used. No key has a TTL (admission.md: a claim with a TTL dies in a
clock step).

Writes carry their order with them and the higher one wins: tickets and devices by
their row's version, visits by their header (pass, phase, confirmed). So the desk,
the drain and the relay may write in any order, twice, or late, and converge.
"""
