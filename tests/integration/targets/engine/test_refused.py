# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel refuses, the plan refuses: in check mode and for real, with the same sentence, and nothing is changed.

Each case has the commands that do the same, which the kernel must refuse as well; and what is next to it, which the kernel takes,
must not be refused.
"""

from __future__ import annotations

import contextlib
import subprocess
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    BadInput,
    Conflict,
    Failure,
    NotApplied,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options, read_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone, same

Document = t.Dict[str, t.Any]

WORLD = """
link add v0 type veth peer name w0
link set v0 up
link set w0 up
link add v1 type veth peer name w1
link add br0 type bridge
link set v1 master br0
link add m1 link w1 type macvlan
"""


def read(document: Document) -> Wanted:
    options = dict(document)
    kind = options.pop("kind")
    if kind == "linux_bridge_port":
        result = ArgumentSpecValidator(bridge_ports.options()).validate(options)
        assert not result.error_messages, result.error_messages
        return Wanted(links=(bridge_ports.read(result.validated_parameters),))
    result = ArgumentSpecValidator(documents.link_options(KINDS.get(kind))).validate(options)
    assert not result.error_messages, result.error_messages
    return Wanted(links=(documents.read_link(result.validated_parameters, KINDS.get(kind)),))


def run(document: Document, check: bool = False) -> t.Any:
    wanted = read(document)
    with contextlib.closing(Kernel()) as kernel:
        return converge(kernel, PLANNING, wanted, check)


def told(document: Document, check: bool) -> str:
    """The sentence that a document is refused with before anything is changed."""
    with pytest.raises((BadInput, Conflict)) as caught:
        run(document, check)
    assert "rolled back" not in str(caught.value)
    return str(caught.value)


def refused(
    before: str, command: str, document: Document, words: t.Sequence[str], instead: t.Optional[Document]
) -> bool:
    world = World()
    world.build(WORLD, "blue")
    world.run("sh", "-ec", before)
    seen = world.snapshot()
    sentence = told(document, check=True)
    assert [word for word in words if word not in sentence] == [], sentence
    assert told(document, check=False) == sentence
    same(seen, world.snapshot(), sentence)
    # The last command is the one that the kernel doesn't take, silently or with an error.
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode, "the kernel takes %s" % command
    if instead:
        assert run(instead, check=True).plan.changed
        assert run(instead).plan.changed
        assert not run(instead).plan.changed
    return True


SYSCTL = "sysctl -qw net.ipv6.conf.%s.disable_ipv6=%d"
CASES: t.Dict[str, t.Tuple[str, str, Document, t.List[str], t.Optional[Document]]] = {
    "an IPv6 address where new links have no IPv6": (
        SYSCTL % ("default", 1),
        "ip link add a type veth peer name b && ip address add fd00::1/64 dev a",
        {"kind": "veth", "name": "a", "addresses": ["fd00::1/64"], "peer": {"name": "b"}},
        ["Option addresses of link 'a'", "fd00::1/64", "net.ipv6.conf.default.disable_ipv6"],
        {"kind": "veth", "name": "a", "addresses": ["10.0.0.1/24"], "peer": {"name": "b"}},
    ),
    "an IPv6 address of the peer": (
        SYSCTL % ("default", 1),
        "ip link add a type veth peer name b && ip address add fd00::1/64 dev b",
        {"kind": "veth", "name": "a", "peer": {"name": "b", "addresses": ["fd00::1/64"]}},
        ["Option peer.addresses of link 'b'", "fd00::1/64", "net.ipv6.conf.default.disable_ipv6"],
        # It may be off for all and on for one.
        {"kind": "link", "name": "v0", "addresses": ["fd00::1/64"]},
    ),
    "an IPv6 address where all had IPv6 switched off": (
        SYSCTL % ("all", 1),
        "ip address add fd00::1/64 dev v0",
        {"kind": "link", "name": "v0", "addresses": ["fd00::1/64"]},
        ["Option addresses of link 'v0'", "net.ipv6.conf.v0.disable_ipv6"],
        None,
    ),
    "an IPv6 route on a link without IPv6": (
        SYSCTL % ("v0", 1),
        "ip route add fd01::/64 dev v0",
        {"kind": "link", "name": "v0", "routes": [{"to": "fd01::/64"}]},
        ["Option routes of link 'v0'", "fd01::/64", "net.ipv6.conf.v0.disable_ipv6"],
        {"kind": "link", "name": "w0", "addresses": ["fd00::1/64"], "routes": [{"to": "fd01::/64"}]},
    ),
    "an IPv6 address on a link that comes where new ones have no IPv6": (
        "ip netns exec blue " + SYSCTL % ("default", 1),
        "ip link set v0 netns blue && ip -n blue address add fd00::1/64 dev v0",
        {"kind": "link", "name": "v0", "netns": "blue", "move_from": "", "addresses": ["fd00::1/64"]},
        ["Option addresses of link 'v0' in namespace 'blue'", "net.ipv6.conf.default.disable_ipv6"],
        None,
    ),
    "an IPv6 address on a link with a small MTU": (
        "ip link set v0 mtu 1000",
        "ip address add fd00::1/64 dev v0",
        {"kind": "link", "name": "v0", "addresses": ["fd00::1/64"]},
        ["Option addresses of link 'v0'", "mtu is 1000", "1280"],
        {"kind": "link", "name": "v0", "mtu": 1280, "addresses": ["fd00::1/64"]},
    ),
    "a macvlan on a bridge's port": (
        ":",
        "ip link add m0 link v1 type macvlan",
        {"kind": "macvlan", "name": "m0", "parent": "v1"},
        ["Option parent of link 'm0'", "'v1' is a port of 'br0' (linux_bridge)"],
        {"kind": "macvlan", "name": "m0", "parent": "br0"},
    ),
    "a macvlan's parent that is to be a port": (
        ":",
        "ip link set w1 master br0",
        {"kind": "linux_bridge", "name": "br0", "ports": ["w1"]},
        ["Link 'w1' can't become a port of 'br0'", "'m1' (macvlan)"],
        {"kind": "linux_bridge", "name": "br0", "ports": ["m1"]},
    ),
    "a master that takes no ports": (
        "true",
        "ip link set v0 master lo",
        {"kind": "link", "name": "v0", "master": "lo"},
        ["Link 'lo' (the loopback) can't be the master of 'v0'", "takes no ports"],
        {"kind": "link", "name": "v0", "master": "br0"},
    ),
    "a port that has other frames than Ethernet": (
        "ip tuntap add dev t0 mode tun",
        "ip link set t0 master br0",
        {"kind": "linux_bridge_port", "name": "t0", "bridge": "br0"},
        ["'br0'", "can't be the master of 't0'", "Ethernet", "mode tun"],
        {"kind": "linux_bridge_port", "name": "v0", "bridge": "br0"},
    ),
    "the loopback among the ports of a bridge": (
        "true",
        "ip link set lo master br0",
        {"kind": "linux_bridge", "name": "br0", "ports": ["lo"]},
        ["'br0'", "can't be the master of 'lo'", "Ethernet"],
        {"kind": "linux_bridge", "name": "br0", "ports": ["v0"]},
    ),
    "a parent that has other frames than Ethernet": (
        "ip tuntap add dev t0 mode tun",
        "ip link add m0 link t0 type macvlan",
        {"kind": "macvlan", "name": "m0", "parent": "t0"},
        ["Link 't0' (tuntap) can't be the parent of 'm0'", "Ethernet", "mode tun"],
        {"kind": "macvlan", "name": "m0", "parent": "v0"},
    ),
    "the loopback as a parent": (
        "true",
        "ip link add m0 link lo type macvlan",
        {"kind": "macvlan", "name": "m0", "parent": "lo"},
        ["Link 'lo' (the loopback) can't be the parent of 'm0'", "Ethernet"],
        {"kind": "macvlan", "name": "m0", "parent": "v0"},
    ),
    "bits of a bridge's group_fwd_mask": (
        "true",
        "ip link set br0 type bridge group_fwd_mask 12",
        {"kind": "linux_bridge", "name": "br0", "group_fwd_mask": 12},
        ["'br0'", "option group_fwd_mask: 12 sets bit 2"],
        {"kind": "linux_bridge", "name": "br0", "group_fwd_mask": 65528},
    ),
    "bits of a port's group_fwd_mask": (
        "true",
        "ip link set v1 type bridge_slave group_fwd_mask 65535",
        {"kind": "linux_bridge_port", "name": "v1", "bridge": "br0", "group_fwd_mask": 65535},
        ["'v1'", "option group_fwd_mask: 65535 sets bit 1"],
        {"kind": "linux_bridge_port", "name": "v1", "bridge": "br0", "group_fwd_mask": 65533},
    ),
    "one route through both ends of a pair": (
        "true",
        "ip addr add 192.0.2.1/24 dev v0; ip route add 198.51.100.0/24 via 192.0.2.9 dev v0 && ip route add 198.51.100.0/24 via "
        "192.0.2.9 dev w0",
        {
            "kind": "veth",
            "name": "v0",
            "addresses": ["192.0.2.1/24"],
            "routes": [{"to": "198.51.100.0/24", "via": "192.0.2.9"}],
            "peer": {
                "name": "w0",
                "addresses": ["192.0.2.2/24"],
                "routes": [{"to": "198.51.100.0/24", "via": "192.0.2.9"}],
            },
        },
        ["Option routes of link 'v0' and of link 'w0'", "198.51.100.0/24"],
        None,
    ),
    "a macvlan's parent that is to have a master": (
        ":",
        "ip link set w1 master br0",
        {"kind": "link", "name": "w1", "master": "br0"},
        ["Link 'w1' can't become a port of 'br0'", "'m1' (macvlan)"],
        None,
    ),
    "a macvlan's parent that is to be a port by the document of a port": (
        ":",
        "ip link set w1 master br0",
        {"kind": "linux_bridge_port", "name": "w1", "bridge": "br0"},
        ["Link 'w1' can't become a port of 'br0'", "'m1' (macvlan)"],
        {"kind": "linux_bridge_port", "name": "w0", "bridge": "br0"},
    ),
    "a macvlan on a parent that another one has alone": (
        "ip link set v0 down; ip link add m2 link v0 type macvlan mode passthru",
        "ip link add m0 link v0 type macvlan",
        {"kind": "macvlan", "name": "m0", "parent": "v0"},
        ["Link 'm0' can't share its parent 'v0' with link 'm2'"],
        {"kind": "macvlan", "name": "m0", "parent": "w0"},
    ),
    "a macvlan that wants its parent alone": (
        ":",
        "ip link add m0 link w1 type macvlan mode passthru",
        {"kind": "macvlan", "name": "m0", "parent": "w1", "mode": "passthru"},
        ["Link 'm0' can't share its parent 'w1' with link 'm1'"],
        {"kind": "macvlan", "name": "m0", "parent": "w0", "mode": "passthru"},
    ),
    "a macvlan with the MAC address of its parent": (
        "ip link set v0 address 02:00:00:00:00:07",
        "ip link add m0 link v0 address 02:00:00:00:00:07 type macvlan && ip link set m0 up",
        {"kind": "macvlan", "name": "m0", "parent": "v0", "mac": "02:00:00:00:00:07", "state": "up"},
        ["Option mac of link 'm0': link 'v0', its parent, has the MAC address 02:00:00:00:00:07 as well"],
        {"kind": "macvlan", "name": "m2", "parent": "v0", "mac": "02:00:00:00:00:07", "state": "down"},
    ),
    "a macvlan with the MAC address of another one": (
        "ip link set m1 address 02:00:00:00:00:07; ip link set w1 up; ip link set m1 up",
        "ip link add m0 link w1 address 02:00:00:00:00:07 type macvlan && ip link set m0 up",
        {"kind": "macvlan", "name": "m0", "parent": "w1", "mac": "02:00:00:00:00:07", "state": "up"},
        ["Option mac of link 'm0': link 'm1', on the same parent, has the MAC address 02:00:00:00:00:07"],
        {"kind": "macvlan", "name": "m2", "parent": "v0", "mac": "02:00:00:00:00:07", "state": "up"},
    ),
    "another MAC address for a macvlan that is up": (
        "ip link set w1 up; ip link set m1 up; ip link set w1 address 02:00:00:00:00:07",
        "ip link set m1 address 02:00:00:00:00:07",
        {"kind": "link", "name": "m1", "mac": "02:00:00:00:00:07"},
        ["Option mac of link 'm1'", "'w1', its parent"],
        {"kind": "macvlan", "name": "m2", "parent": "w0", "mode": "passthru", "state": "up"},
    ),
    "a short forwarding delay with STP": (
        "ip link set br0 type bridge stp_state 1",
        "ip link set br0 type bridge forward_delay 100",
        {"kind": "linux_bridge", "name": "br0", "forward_delay": 1},
        ["Link 'br0'", "option forward_delay: 1 is out of range", "option stp", "2 to 30"],
        {"kind": "linux_bridge", "name": "br0", "forward_delay": 1, "stp": False},
    ),
    "a long forwarding delay with STP": (
        ":",
        "ip link set br0 type bridge stp_state 1 && ip link set br0 type bridge forward_delay 3002",
        {"kind": "linux_bridge", "name": "br0", "stp": True, "forward_delay": 30.02},
        ["Link 'br0'", "option forward_delay: 30.02 is out of range", "option stp"],
        {"kind": "linux_bridge", "name": "br0", "stp": True, "forward_delay": 30},
    ),
    "a forwarding delay for a new bridge with STP": (
        ":",
        "ip link add br1 type bridge stp_state 1 && ip link set br1 type bridge forward_delay 0",
        {"kind": "linux_bridge", "name": "br1", "stp": True, "forward_delay": 0},
        ["Link 'br1'", "option forward_delay: 0 is out of range", "option stp"],
        {"kind": "linux_bridge", "name": "br1", "stp": True, "forward_delay": 2, "hello_time": 1, "max_age": 40},
    ),
    **{
        "an MTU that is too large for a new %s"
        % word: (
            ":",
            "%s && ip link set a mtu %d" % (make, mtu + 1),
            {**document, "name": "a", "mtu": mtu + 1},
            ["Option mtu of link 'a'", "%d is out of range; its driver takes 68 to %d." % (mtu + 1, mtu)],
            {**document, "name": "a2", "mtu": mtu},
        )
        for word, make, document, mtu in (
            ("veth", "ip link add a type veth", {"kind": "veth", "peer": {"name": "b"}}, 65535),
            ("bridge", "ip link add a type bridge", {"kind": "linux_bridge"}, 65535),
            ("tap", "ip tuntap add a mode tap", {"kind": "tuntap", "mode": "tap"}, 65521),
            ("tun", "ip tuntap add a mode tun", {"kind": "tuntap", "mode": "tun"}, 65535),
        )
    },
    "an MTU that is too large for the other end of a pair": (
        ":",
        "ip link add a type veth peer name b mtu 99999",
        {"kind": "veth", "name": "a", "peer": {"name": "b", "mtu": 99999}},
        ["Option peer.mtu of link 'b'", "99999 is out of range; its driver takes 68 to 65535."],
        {"kind": "veth", "name": "a", "peer": {"name": "b", "mtu": 65535}},
    ),
    "a namespace of a process that isn't running": (
        ":",
        "nsenter --net=/proc/999999/ns/net true",
        {"kind": "veth", "name": "a", "netns": "/proc/999999/ns/net", "peer": {"name": "b"}},
        ["Option netns of link 'a'", "'/proc/999999/ns/net'", "process 999999 is not running"],
        {"kind": "veth", "name": "a", "netns": "/proc/self/ns/net", "peer": {"name": "b"}},
    ),
    "a peer in a namespace of a process that isn't running": (
        ":",
        "nsenter --net=/proc/999999/ns/net true",
        {"kind": "veth", "name": "a", "peer": {"name": "b", "netns": "/proc/999999/ns/net"}},
        ["Option peer.netns of link 'b'", "process 999999 is not running"],
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_kernel_refuses(case: str) -> None:
    assert alone(lambda: refused(*CASES[case]))


def has_no_vlans() -> bool:
    World().run("ip", "link", "add", "br0", "type", "bridge")
    done = subprocess.run(
        ["ip", "link", "set", "br0", "type", "bridge", "vlan_filtering", "1"], capture_output=True, check=False
    )
    return bool(done.returncode)


VLANS: t.List[Document] = [
    {"vlan_filtering": True},
    {"vlan_default_pvid": 7},
    {"vlan_protocol": "802.1ad"},
    {"vlan_stats_per_port": True},
]


def vlans_refused(options: Document, name: str) -> bool:
    world = World()
    world.build(WORLD)
    seen = world.snapshot()
    document = {"kind": "linux_bridge", "name": name, **options}
    for check in (True, False):
        sentence = told(document, check)
        assert "Option %s of link '%s': this kernel has no VLAN filtering in bridges" % (*options, name) in sentence
    same(seen, world.snapshot(), sentence)
    return run({"kind": "linux_bridge", "name": name, "vlan_filtering": False}).wanted is not None


@pytest.mark.parametrize("name", ["br0", "br1"])
@pytest.mark.parametrize("options", VLANS)
def test_vlans_of_a_bridge_where_the_kernel_has_none(options: Document, name: str) -> None:
    if not alone(has_no_vlans):
        pytest.skip("this kernel has VLANs in bridges")
    assert alone(lambda: vlans_refused(options, name))


def vlans_taken(options: Document, name: str) -> bool:
    World().build(WORLD)
    return bool(run({"kind": "linux_bridge", "name": name, **options}).plan.changed)


@pytest.mark.parametrize("name", ["br0", "br1"])
@pytest.mark.parametrize("options", VLANS)
def test_vlans_of_a_bridge_where_the_kernel_has_them(options: Document, name: str) -> None:
    if alone(has_no_vlans):
        pytest.skip("this kernel has no VLANs in bridges")
    assert alone(lambda: vlans_taken(options, name))


class MeddledKernel(Kernel):
    """Another process runs a command when a task is about to change something, or when it has."""

    def __init__(self, command: str, afterwards: bool) -> None:
        super().__init__()
        self._command, self._afterwards = command, afterwards

    def run(self, batch: t.Sequence[Step]) -> None:
        command, self._command = self._command, ""
        if command and not self._afterwards:
            World().run("sh", "-ec", command)
        super().run(batch)
        if command and self._afterwards:
            World().run("sh", "-ec", command)


def meddled(document: Document, command: str, afterwards: bool, words: t.Sequence[str]) -> bool:
    World().build(WORLD, "blue")
    with contextlib.closing(MeddledKernel(command, afterwards)) as kernel, pytest.raises(Failure) as caught:
        converge(kernel, PLANNING, read(document), False)
    text = str(caught.value)
    assert "lack the feature" not in text
    assert [word for word in words if word not in text] == [], text
    return True


@pytest.mark.parametrize(
    ("document", "command", "afterwards", "words"),
    [
        ({"kind": "link", "name": "v0", "mtu": 1400}, "ip link del v0", False, ["'v0'", "The link is gone: another"]),
        (
            {"kind": "link", "name": "v0", "addresses": ["10.0.0.1/24"]},
            "ip link del v0",
            False,
            ["'v0'", "The link is gone: another process must have removed it during this task"],
        ),
        (
            {"kind": "link", "name": "v0", "mtu": 1400},
            "ip link del v0",
            True,
            ["Link 'v0' is gone: another process has removed it during this task."],
        ),
        (
            {"kind": "veth", "name": "a", "peer": {"name": "b"}, "state": "up"},
            "ip link del dev a",
            True,
            ["Link 'a' is gone: another process has removed it", "Link 'b' is gone"],
        ),
        (
            {"kind": "linux_bridge", "name": "br0", "ports": ["w0"]},
            "ip link del w0",
            True,
            ["Link 'w0' is gone: another process has removed it"],
        ),
    ],
)
def test_links_that_another_process_removes(
    document: Document, command: str, afterwards: bool, words: t.Sequence[str]
) -> None:
    assert alone(lambda: meddled(document, command, afterwards, words))


def sysctls() -> bool:
    """What the kernel reads is compared, and not the spelling; what it makes of a value is told."""
    World().build(WORLD)

    def netns(**sysctls: t.Any) -> Wanted:
        options = {"name": "n", "sysctls": {name.replace("__", "/"): value for name, value in sysctls.items()}}
        result = ArgumentSpecValidator(netns_options()).validate(options)
        return Wanted(namespaces=(read_netns(result.validated_parameters),))

    def go(wanted: Wanted, check: bool = False) -> t.Any:
        with contextlib.closing(Kernel()) as kernel:
            return converge(kernel, PLANNING, wanted, check)

    for value, kept in (("0x2", "2"), ("01", "1"), (" 02 ", "2"), (True, "1")):
        wanted = netns(net__ipv4__conf__all__rp_filter=value)
        foretold, outcome = go(wanted, check=True), go(wanted)
        assert foretold.now.namespaces["n"].sysctls == {"net/ipv4/conf/all/rp_filter": kept}
        assert outcome.now.namespaces["n"].sysctls == {"net/ipv4/conf/all/rp_filter": kept}
        assert not go(wanted).plan.changed
    ports = netns(net__ipv4__ip_local_reserved_ports="8081,8080,9000-9001,9002")
    assert go(ports).plan.changed
    assert not go(ports).plan.changed
    # The kernel counts in jiffies.
    with pytest.raises(
        NotApplied, match=r"^The kernel took '1001' for sysctl .*retrans_time_ms .*, and keeps '\d+'; give a"
    ):
        go(netns(net__ipv4__neigh__lo__retrans_time_ms=1001))
    return True


def test_sysctls_as_the_kernel_reads_them() -> None:
    assert alone(sysctls)


def delay_follows() -> bool:
    """With STP the kernel brings the delay within its bounds, and check mode foretells it."""
    world = World()
    world.build(WORLD)
    for given, follows in ((0, 2), (50, 30), (15, 15)):
        run({"kind": "linux_bridge", "name": "br0", "stp": False, "forward_delay": given})
        document = {"kind": "linux_bridge", "name": "br0", "stp": True}
        foretold = run(document, check=True).now
        now = run(document).now
        for state in (foretold, now):
            (link,) = [link for ref, link in state.links.items() if ref.name == "br0"]
            assert link.values["forward_delay"] == follows
        assert not run(document).plan.changed
    return True


def test_a_forwarding_delay_follows_stp() -> None:
    assert alone(delay_follows)
