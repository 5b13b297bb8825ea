"""The CRM: contacts and companies, consents, pipeline, segments, history and privacy.

Every service takes the pool of plain SQL (never the desk's connections), does one
request in one transaction, and writes the audit log in it (`ops.audit`). What decides
(conditions of segments, rules, which values are personal) is pure. Statements stand
beside the service that uses them, are bounded, and never hold input.
"""
