"""Internet addresses: which of them are one client."""

import pytest

from app.core.addresses import is_loopback, origin


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


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "10.0.0.1", "example.com", ""])
def test_what_others_may_reach(host: str) -> None:
    assert not is_loopback(host)
