"""Every page in every size: what is wrong by measure, and pictures to look at.

`make screenshots` takes them of the running demo; `tests/e2e/test_every_page.py` holds
the measures over a small event.
"""
