"""How the box stands in its network: a small tree that looks like /proc and /sys, and the real loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.board.network import ON_LINK, Interface, interfaces, ipv4_of, name_servers

pytestmark = pytest.mark.unit

# As a Linux on a little-endian machine writes them.
ROUTE = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "wwan0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
)
ZERO, NEXT = "0" * 32, "fe80000000000000000000000000000a"
ROUTE_6 = (
    f"{ZERO} 00 {ZERO} 00 {NEXT} 00000400 00000003 00000000 00000003     eth0\n"
    f"{ZERO[:-1]}1 80 {ZERO} 00 {ZERO} 00000000 00000004 00000000 80200001       lo\n"
    f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200       lo\n"
)
ADDRESSES_6 = (
    "fd000000000000000000000000000002 04 40 00 82     eth0\n"
    "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"
    "00000000000000000000000000000001 01 80 10 80       lo\n"
)
FILES = {
    "proc/net/route": ROUTE,
    "proc/net/ipv6_route": ROUTE_6,
    "proc/net/if_inet6": ADDRESSES_6,
    "sys/class/net/lo/address": "00:00:00:00:00:00\n",
    "sys/class/net/lo/operstate": "unknown\n",
    "sys/class/net/eth0/address": "dc:a6:32:01:02:03\n",
    "sys/class/net/eth0/operstate": "up\n",
    "sys/class/net/eth0/device/uevent": "",
    "sys/class/net/wlan0/address": "dc:a6:32:01:02:04\n",
    "sys/class/net/wlan0/operstate": "down\n",
    "sys/class/net/wlan0/device/uevent": "",
    "sys/class/net/ifb0/address": "02:00:00:00:00:01\n",
    "sys/class/net/ifb0/operstate": "down\n",
    "etc/resolv.conf": "# by hand\nsearch office.lan\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n",
}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_what_leads_somewhere_with_its_addresses_and_gateways(tmp_path: Path) -> None:
    ipv4 = {"eth0": "192.0.2.2/24", "lo": "127.0.0.1/8"}
    assert list(interfaces(tree(tmp_path, FILES), lambda name: ipv4.get(name, ""))) == [
        Interface(
            "eth0",
            "dc:a6:32:01:02:03",
            is_up=True,
            addresses=("192.0.2.2/24", "fd00::2/64", "fe80::fc:ff:fe00:1/64"),
            gateways=("192.0.2.1", "fe80::a"),
        ),
        Interface("wlan0", "dc:a6:32:01:02:04", is_up=False, addresses=(), gateways=()),
    ]


def test_a_default_route_without_a_gateway(tmp_path: Path) -> None:
    modem = {"sys/class/net/wwan0/address": "", "sys/class/net/wwan0/operstate": "unknown"}
    [found] = interfaces(tree(tmp_path, modem | {"proc/net/route": ROUTE}), lambda _: "198.51.100.7/32")
    assert found.gateways == (ON_LINK,)


def test_a_kernel_without_ipv6_and_without_routes(tmp_path: Path) -> None:
    left = {name: text for name, text in FILES.items() if not name.startswith("proc/")}
    found = list(interfaces(tree(tmp_path, left), lambda _: ""))
    assert [(each.name, each.addresses, each.gateways) for each in found] == [("eth0", (), ()), ("wlan0", (), ())]


def test_the_real_loopback_and_what_is_not_there() -> None:
    assert ipv4_of("lo") == "127.0.0.1/8"
    assert ipv4_of("nothing") == ""


def test_the_real_machine_can_be_asked() -> None:
    assert all(each.name != "lo" for each in interfaces())


def test_name_servers(tmp_path: Path) -> None:
    assert name_servers(tree(tmp_path, FILES)) == ("192.0.2.53", "fe80::1%eth0")


def test_those_behind_a_stub(tmp_path: Path) -> None:
    stub = {"etc/resolv.conf": "nameserver 127.0.0.53\n"}
    assert name_servers(tree(tmp_path, stub)) == ("127.0.0.53",)
    real = {"run/systemd/resolve/resolv.conf": "nameserver 192.0.2.1\n"}
    assert name_servers(tree(tmp_path, stub | real)) == ("192.0.2.1",)


def test_no_name_server(tmp_path: Path) -> None:
    assert name_servers(tmp_path) == ()
