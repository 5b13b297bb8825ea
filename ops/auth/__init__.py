"""Who is asking, and what they may do.

Three kinds of subject: staff (a person with a password and a role), a device (a
thing with a token), an attendee (a ticket's token, live only). `middleware` finds
the subject of a request, `guards` on every route ask for a kind or a permission.

Secrets are stored only as hashes: SHA-256 for tokens of 256 bits, HMAC with the
installation's key for short codes and PINs, argon2id for passwords.

Everything but `middleware`, `guards` and `routes` works without the web framework,
so that the live role can use it.
"""
