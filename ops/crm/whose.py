"""Whose a row is, in SQL: what touches an event ($E), what is a person's own ($M)."""

from __future__ import annotations

from typing import Final

OF_CONTACT: Final = (
    "(EXISTS (SELECT FROM public.attendees x WHERE x.contact_id = {c}"
    " AND x.event_id = ANY($E))"
    " OR EXISTS (SELECT FROM public.orders x WHERE x.contact_id = {c}"
    " AND x.event_id = ANY($E))"
    " OR EXISTS (SELECT FROM public.leads x WHERE x.contact_id = {c}"
    " AND x.event_id = ANY($E))"
    " OR EXISTS (SELECT FROM public.speakers x WHERE x.contact_id = {c}"
    " AND x.event_id = ANY($E))"
    " OR EXISTS (SELECT FROM public.sponsors x WHERE x.contact_id = {c}"
    " AND x.event_id = ANY($E)))"
)
OF_COMPANY: Final = (
    "(EXISTS (SELECT FROM public.sponsors x WHERE x.company_id = t.id"
    " AND x.event_id = ANY($E))"
    " OR EXISTS (SELECT FROM public.leads x WHERE x.company_id = t.id"
    " AND x.event_id = ANY($E)))"
)
ME: Final = (
    "(SELECT c.{what} FROM public.contacts c JOIN public.users u ON u.id = $M"
    " WHERE c.email = lower(u.email) OR c.profile_id = u.profile_id)"
)
"""The contact that a user is: by the address that the team wrote down for both, or by
the profile. What is theirs hangs on it."""
MY_PROMOTER: Final = (
    "t.promoter_id IN (SELECT x.id FROM public.promoters x WHERE x.contact_id IN "
    f"{ME.format(what='id')})"
)
