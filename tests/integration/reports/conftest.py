"""The doors of the small event, as the tests of people at the door have them."""

from tests.integration.attendance.conftest import doors, runtime
from tests.integration.people.conftest import base_url, bearer, clock, http, owner

__all__ = ["base_url", "bearer", "clock", "doors", "http", "owner", "runtime"]
