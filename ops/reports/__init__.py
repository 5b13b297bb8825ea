"""The day report: what an event was, from the rows that its doors wrote.

Read when somebody asks, never kept: every number is one of door.md's figures or a
count of rows, and a test counts them again by SQL of its own. Nothing here is on the
path of a scan.
"""
