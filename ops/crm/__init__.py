"""The CRM: one API for every table, roles on rows and fields, people, history, privacy.

One generic implementation (`records`) works from one description per table
(`resources`), which is derived from the models: a column that is added to a model is in
the API by itself, with its checks, unless its description hides it. `fields` reads the
models, `shapes` makes the bodies of the OpenAPI document, `query` reads what a client
asks of a list, `statements` writes the SQL, `reach` says which rows and fields a person
may touch, `routes` hangs it all under /api/v1. What is more than rows
(consents, merges, segments, pipeline, erasure) stands in services of its own.

Concurrency: connections of the CRM (never the desk's), one request is one transaction,
and the audit log is written in it (`ops.audit`). What decides is pure. Live and sync
never import this package.
"""
