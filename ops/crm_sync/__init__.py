"""The sync role: brings PostgreSQL's truth to the cache, and what happened to the CRM.

    relay   a change of a ticket, device or plan, by whomever (ops.outbox)
    drain   admissions and exits that a desk could not tell the cache (ops.facts)
    warm    a whole event, when its cache is cold

One sync process leads (an advisory lock that dies with its connection); others stand
by. Everything written to the cache carries its order, so doing it twice is harmless.
This role imports neither the web framework nor the CRM's routes.
"""
