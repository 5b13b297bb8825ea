"""Paper: PDFs with names of any script. Knows fonts, lines and tables, no event.

The fonts lie here (`fonts/`), because a machine that runs the program may have none:
DejaVu Sans for Latin, Greek, Cyrillic, Hebrew and Arabic, Droid Sans Fallback for
Chinese, Japanese and Korean. What no font has is written as its name in brackets.
Everything here is plain CPU: shells call it in a thread.
"""
