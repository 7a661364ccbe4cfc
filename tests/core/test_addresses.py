"""Internet addresses: which of them are one client."""

import pytest

from app.core.addresses import origin


@pytest.mark.parametrize("address", ["192.0.2.7", "testclient", "", "fe80::1%%", "1.2.3.4.5"])
def test_an_ipv4_address_and_what_is_none_stand_for_themselves(address: str) -> None:
    assert origin(address) == address


def test_all_addresses_of_one_customer_are_one() -> None:
    one, same, other = "2001:db8:1:2::7", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::7"
    assert origin(one) == origin(same)
    assert origin(one) != origin(other)


def test_ipv4_in_ipv6_is_no_neighbourhood() -> None:
    assert origin("::ffff:192.0.2.7") == "192.0.2.7"
    assert origin("::ffff:192.0.2.8") != origin("::ffff:192.0.2.7")
