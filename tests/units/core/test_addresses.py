"""Internet addresses: which of them count as one client, and which only this machine reaches."""

import pytest

from app.core.addresses import is_loopback, networks, origin


@pytest.mark.parametrize("address", ["192.0.2.7", "testclient", "", "fe80::1%%", "1.2.3.4.5"])
def test_an_ipv4_or_invalid_address_is_its_own_origin(address: str) -> None:
    assert origin(address) == address


def test_all_addresses_of_one_ipv6_network_share_an_origin() -> None:
    one, same, other = "2001:db8:1:2::7", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::7"
    assert origin(one) == origin(same)
    assert origin(one) != origin(other)


def test_ipv4_mapped_to_ipv6_keeps_the_ipv4_address() -> None:
    assert origin("::ffff:192.0.2.7") == "192.0.2.7"
    assert origin("::ffff:192.0.2.8") != origin("::ffff:192.0.2.7")


def test_the_networks_around_an_ipv6_address_are_nested() -> None:
    assert networks("2001:db8:1:2ff::7") == ["2001:db8:1:2ff::/64", "2001:db8:1:200::/56", "2001:db8:1::/48"]
    assert networks("2001:db8:1:2ff::7")[0] == origin("2001:db8:1:2ff::7")


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "testclient", ""])
def test_any_other_address_is_in_no_wider_network(address: str) -> None:
    assert networks(address) == [origin(address)]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_loopback_hosts_are_reached_by_this_machine_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "10.0.0.1", "example.com", ""])
def test_other_hosts_may_be_reached_by_other_machines(host: str) -> None:
    assert not is_loopback(host)
