"""Addresses of the public Internet, and all that only look like some."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.public import is_public

PUBLIC = ["1.1.1.1", "93.184.215.14", "162.159.130.233", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]
OTHERS = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::"),  # noqa: S104  # nothing is bound
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1", "fec0::1"),
    *("169.254.169.254", "fe80::1", "fe80::1%eth0", "2606:4700:4700::1111%eth0"),
    *("100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.0.170", "168.63.129.16", "fd00:ec2::254"),
    *("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1", "255.255.255.255", "240.0.0.1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1", "3fff::1", "192.88.99.1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "64:ff9b::8.8.8.8"),
    *("2002:7f00:1::", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2606:4700::5efe:127.0.0.1"),
    *(
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "\uff11\uff12\uff17.0.0.1",
        "",
        "localhost",
        "[::1]",
    ),
]
PRIVATE_4 = [ipaddress.IPv4Network(text) for text in ("127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16")]
EMBEDDINGS = [
    "::ffff:{}",
    "::ffff:0:{}",
    "::{}",
    "64:ff9b::{}",
    "64:ff9b:1::{}",
    "2a00:1::5efe:{}",
    "2a00:1::200:5efe:{}",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_hosts_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", OTHERS)
def test_all_else_is_not(address: str) -> None:
    assert not is_public(address)


def test_a_mapped_address_is_what_it_maps() -> None:
    assert is_public("::ffff:1.1.1.1")


@given(st.sampled_from(PRIVATE_4), st.integers(0, 2**16 - 1), st.sampled_from(EMBEDDINGS))
def test_no_way_to_wrap_a_private_address_makes_it_public(
    network: ipaddress.IPv4Network, offset: int, embedding: str
) -> None:
    private = network[offset]
    assert not is_public(str(private))
    assert not is_public(embedding.format(private))
    assert not is_public(str(ipaddress.IPv6Address((0x2002 << 112) | (int(private) << 80))))


@given(st.ip_addresses() | st.ip_addresses(network="2000::/3") | st.text(max_size=40))
def test_what_is_public_is_global_and_in_standard_form(address: object) -> None:
    if is_public(str(address)):
        assert ipaddress.ip_address(str(address)).is_global or str(address).startswith("::ffff:")
