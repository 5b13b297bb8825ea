"""Whose a socket's token is, from rows: by kind, and nobody's once it is revoked."""

from __future__ import annotations

import pytest

from ops.auth.tokens import token_hash
from ops.db.engine import Database
from ops.live.auth import CODE_HASH_LENGTH, Authenticator
from ops.live.topics import Subject
from tests.integration.test_live_figures import sign_in
from tests.small_event import SmallEvent

DEVICE, LINK, CODE = "dev_of the test", "att_of the test", "T-1"

TAKE_AWAY = {
    Subject.STAFF: "UPDATE ops.staff_sessions SET revoked_at = now()"
    " WHERE token_hash = $1",
    Subject.DEVICE: "UPDATE ops.devices SET state = 'revoked' WHERE token_hash = $1",
    Subject.ATTENDEE: "UPDATE ops.attendee_tokens SET revoked_at = now()"
    " WHERE token_hash = $1",
    Subject.TICKET: "UPDATE ops.ticket_codes SET revoked_at = now()"
    f" WHERE code_hash = substring($1::bytea FOR {CODE_HASH_LENGTH})",
}


@pytest.fixture
async def hashes(database: Database) -> dict[Subject, bytes]:
    """A token of each kind."""
    event = await SmallEvent.make(database.pool, tickets=3)
    run = database.pool.execute
    await run(
        "UPDATE ops.devices SET token_hash = $2, state = 'active' WHERE id = $1",
        *(event.device, token_hash(DEVICE)),
    )
    await run(
        "INSERT INTO ops.attendee_tokens (event_id, attendee_id, token_hash)"
        " SELECT event_id, id, $2 FROM attendees WHERE event_id = $1 LIMIT 1",
        *(event.id, token_hash(LINK)),
    )
    await run(
        "UPDATE ops.ticket_codes SET kind = 'own'"
        f" WHERE code_hash = substring($1::bytea FOR {CODE_HASH_LENGTH})",
        token_hash(CODE),
    )
    staff = await sign_in(database, '{"*": {"read": true}}', None)
    tokens = {
        Subject.STAFF: staff,
        Subject.DEVICE: DEVICE,
        Subject.ATTENDEE: LINK,
        Subject.TICKET: CODE,
    }
    return {subject: token_hash(token) for subject, token in tokens.items()}


async def test_each_token_is_found_as_what_it_is(
    database: Database, hashes: dict[Subject, bytes]
) -> None:
    who = Authenticator(database.pool)
    found = await who.look_up(hashes.values())
    for subject, digest in hashes.items():
        assert found[digest].subject is subject
        # The re-check asks where the token stands, and hears the same.
        again = await who.look_up(hashes.values(), (subject,))
        assert again == {digest: found[digest]}


@pytest.mark.parametrize("subject", list(Subject))
async def test_a_token_that_is_taken_away_opens_nothing(
    database: Database, hashes: dict[Subject, bytes], subject: Subject
) -> None:
    who, digest = Authenticator(database.pool), hashes[subject]
    assert digest in await who.look_up([digest], (subject,))
    await database.pool.execute(TAKE_AWAY[subject], digest)
    assert await who.look_up([digest], (subject,)) == {}
    left = await who.look_up(hashes.values())
    assert set(left) == set(hashes.values()) - {digest}
