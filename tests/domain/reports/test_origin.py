"""What is kept of an address: its network where that says something, by a key of the day, and never itself."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.reports import origin

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("39.32.7.200", "39.32.7.0/24"),
        ("2400:adc1:1:2:3:4:5:6", "2400:adc1:1:2::/64"),
        ("::ffff:39.32.7.9", "39.32.7.0/24"),
        ("2002:2720:0709::1", "39.32.7.0/24"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("10.1.2.3", ""),
        ("192.168.100.7", ""),
        ("172.16.0.9", ""),
        ("100.64.0.1", ""),
        ("100.127.255.254", ""),
        ("169.254.1.1", ""),
        ("fe80::1%eth0", ""),
        ("fd00::1", ""),
        ("224.0.0.1", ""),
        ("0.0.0.0", ""),
        ("", ""),
        ("unix:", ""),
        ("39.32.7.200, 10.0.0.1", ""),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert origin.network(address) == network
    kept = origin.hashed(address, "secret", AT)
    assert bool(kept) is bool(network)
    assert kept[:2] in ("", origin.HOME if ":" in network else origin.SHARED)
    if network:
        assert network.split("/")[0] not in kept


def test_one_network_is_one_hash_on_one_day_alone() -> None:
    one = origin.hashed("39.32.7.200", "secret", AT)
    assert one == origin.hashed("39.32.7.9", "secret", AT + timedelta(hours=3))
    others = [
        origin.hashed("39.32.8.200", "secret", AT),
        origin.hashed("39.32.7.200", "another", AT),
        origin.hashed("39.32.7.200", "secret", AT + timedelta(days=1)),
    ]
    assert one not in others
    assert len(set(others)) == 3
