"""Load tests: a gate rush and its watchers, against a server made for them.

`make load` starts everything on loopback, plays a bounded minute and says whether it
stayed within its budgets. See README.md beside this file.
"""
