"""What an attendee sees and does: their own ticket, agenda, feedback, meetings.

Everything here needs a token of the person (`ops.auth.attendees`), from the private
link of a mail or from a code mailed to their address; a ticket's QR is not enough. A
token opens the data of one person in one event and nobody else's: every statement of
this package carries the attendee's id or the event's.
"""
