# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""linux_bridge: attributes are in net/bridge/br_netlink.c, limits in net/bridge/br_private.h."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import linux_bridge_port
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import (
    FLAG,
    NUMBER,
    SECONDS,
    Attribute,
    Codec,
    Kind,
    Values,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Vlan

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link

_STP_DELAY = (2, 30)  # limits of forward_delay in seconds while STP is on (BR_MIN_FORWARD_DELAY, ...)
_MAX_PORTS = 1023  # BR_MAX_PORTS without the number 0, which no port has

_VLAN_OPTIONS = ("vlan_filtering", "vlan_default_pvid", "vlan_protocol", "vlan_stats_per_port")
_NO_VLANS = "this kernel has no VLAN filtering in bridges (it was built without CONFIG_BRIDGE_VLAN_FILTERING)."

# ETH_P_8021Q and ETH_P_8021AD of linux/if_ether.h
_PROTOCOLS = {"802.1q": 0x8100, "802.1ad": 0x88A8}
_PROTOCOL = Codec(
    "str",
    lambda value: _PROTOCOLS[value],
    lambda value: {number: name for name, number in _PROTOCOLS.items()}.get(value, hex(value)),
    lambda value: value.replace("q", "Q"),
)

# linux/if_bridge.h, struct __bridge_info: designated_root, bridge_id, root_path_cost, max_age, hello_time, forward_delay;
# bridge_max_age, bridge_hello_time, bridge_forward_delay; four flags; ageing_time, gc_interval and four timers
_BRIDGE_INFO = "=QQ4I3I4B6I"
BRCTL_GET_BRIDGE_INFO = 6
SIOCDEVPRIVATE = 0x89F0  # linux/sockios.h
CLOCK_MONOTONIC_COARSE = 6  # linux/time.h; it ticks with the kernel's jiffies


def _configured_timers(name: str) -> t.Dict[str, t.Any]:
    """The configured timers of a bridge. Netlink reports those of the root bridge; only an old ioctl has both."""
    max_age, hello_time, forward_delay = _bridge_info(name)[6:9]
    # net/bridge/br_ioctl.c converts only the last one to USER_HZ; the others are in jiffies.
    jiffy = time.clock_getres(CLOCK_MONOTONIC_COARSE)
    centiseconds = {
        "max_age": round(max_age * jiffy * 100),
        "hello_time": round(hello_time * jiffy * 100),
        "forward_delay": forward_delay,
    }
    return {timer: SECONDS.decode(value) for timer, value in centiseconds.items()}


def _bridge_info(name: str) -> t.Tuple[t.Any, ...]:
    info = array.array("B", bytes(struct.calcsize(_BRIDGE_INFO)))
    arguments = array.array("L", [BRCTL_GET_BRIDGE_INFO, info.buffer_info()[0], 0, 0])
    request = struct.pack("16sP16x", name.encode("utf-8", "surrogateescape"), arguments.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control.fileno(), SIOCDEVPRIVATE, request)
    return struct.unpack(_BRIDGE_INFO, info.tobytes())


class _LinuxBridge(Kind):
    def validate(self, values: Values) -> str:
        low, high = _STP_DELAY
        if values.get("stp") and not low <= values.get("forward_delay", low) <= high:
            return "option forward_delay: %s is out of range; with STP on (option stp), valid are %d to %d." % (
                values["forward_delay"],
                low,
                high,
            )
        return ""

    def normalized(self, values: Values) -> Values:
        # br_stp_start() of net/bridge/br_stp_if.c
        if not values.get("stp") or "forward_delay" not in values:
            return values
        return {**values, "forward_delay": min(max(values["forward_delay"], _STP_DELAY[0]), _STP_DELAY[1])}

    def unsupported(self, asked: Values, there: t.Optional[Values], bridge_vlans: bool) -> t.Dict[str, str]:
        # An observed bridge lacks these values only if the kernel has no VLANs in bridges.
        lacking = there is not None and not {"vlan_protocol", "vlan_default_pvid"} & there.keys()
        if bridge_vlans and not lacking:
            return {}
        names = [name for name in _VLAN_OPTIONS if name in asked and (asked[name] or name != _VLAN_OPTIONS[0])]
        return dict.fromkeys(names, _NO_VLANS)

    def follows(self, values: Values, below: t.Optional[Values]) -> t.Set[str]:
        return {"mtu", "mac"}

    def port_problem(self, port: Link, other_frames: str) -> str:
        if port.kind == self.name:
            return "a bridge takes no bridges."
        if other_frames:
            return "a bridge takes Ethernet devices only, and link %s is %s." % (port.ref, other_frames)
        return ""

    def ports_problem(self, count: int) -> str:
        return "a Linux bridge takes at most %d." % _MAX_PORTS if count > _MAX_PORTS else ""

    def joined(self, values: Values) -> t.Tuple[Values, t.Optional[t.Tuple[Vlan, ...]]]:
        # nbp_vlan_init() of net/bridge/br_vlan.c
        pvid = values.get("vlan_default_pvid")
        vlans = (Vlan(pvid, True, True),) if pvid else ()
        return linux_bridge_port.DEFAULTS, None if pvid is None else vlans

    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        # Netlink reports the times in effect; these are the configured ones.
        data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
        times: t.Dict[str, t.Any] = {}
        if data and data.get_attr("IFLA_BR_TOPOLOGY_CHANGE"):
            # During a topology change the ageing time is twice the forwarding delay (__br_set_topology_change() in
            # net/bridge/br_stp.c), and the configured time can't be read.
            doubled = 2 * data.get_attr("IFLA_BR_FORWARD_DELAY")
            if abs(data.get_attr("IFLA_BR_AGEING_TIME") - doubled) <= 2:
                times["ageing_time"] = None
        if data and data.get_attr("IFLA_BR_ROOT_PORT"):
            times.update(_configured_timers(name))
        return times


KIND = _LinuxBridge(
    "linux_bridge",
    "bridge",
    attributes=(
        # First, because with STP on the kernel limits the timers to those of the standard.
        Attribute("stp", "IFLA_BR_STP_STATE", "stp_state", FLAG, False),
        Attribute("priority", "IFLA_BR_PRIORITY", "priority", NUMBER, 32768, bounds=(0, 65535)),
        Attribute("forward_delay", "IFLA_BR_FORWARD_DELAY", "forward_delay", SECONDS, 15, bounds=(0, 10_000_000)),
        Attribute("hello_time", "IFLA_BR_HELLO_TIME", "hello_time", SECONDS, 2, bounds=(1, 10)),
        Attribute("max_age", "IFLA_BR_MAX_AGE", "max_age", SECONDS, 20, bounds=(6, 40)),
        Attribute("ageing_time", "IFLA_BR_AGEING_TIME", "ageing_time", SECONDS, 300, bounds=(0, 1_000_000)),
        # Without BR_GROUPFWD_RESTRICTED: STP, pause frames and LACP.
        Attribute(
            "group_fwd_mask",
            "IFLA_BR_GROUP_FWD_MASK",
            "group_fwd_mask",
            NUMBER,
            0,
            bounds=(0, 65535),
            refused_bits=(0, 1, 2),
        ),
        Attribute("mcast_snooping", "IFLA_BR_MCAST_SNOOPING", "mcast_snooping", FLAG, True),
        Attribute("mcast_querier", "IFLA_BR_MCAST_QUERIER", "mcast_querier", FLAG, False),
        Attribute("nf_call_iptables", "IFLA_BR_NF_CALL_IPTABLES", "nf_call_iptables", FLAG, False),
        Attribute("nf_call_ip6tables", "IFLA_BR_NF_CALL_IP6TABLES", "nf_call_ip6tables", FLAG, False),
        Attribute("nf_call_arptables", "IFLA_BR_NF_CALL_ARPTABLES", "nf_call_arptables", FLAG, False),
        # Without defaults: a kernel without VLANs in bridges lacks these.
        Attribute(
            "vlan_default_pvid",
            "IFLA_BR_VLAN_DEFAULT_PVID",
            "vlan_default_pvid",
            NUMBER,
            bounds=(0, 4094),
            requires=(("vlan_filtering", False),),
        ),
        Attribute("vlan_protocol", "IFLA_BR_VLAN_PROTOCOL", "vlan_protocol", _PROTOCOL, choices=tuple(_PROTOCOLS)),
        Attribute("vlan_stats_per_port", "IFLA_BR_VLAN_STATS_PER_PORT", "vlan_stats_per_port", FLAG),
        Attribute("vlan_filtering", "IFLA_BR_VLAN_FILTERING", "vlan_filtering", FLAG, False),
    ),
    has_ports=True,
    netns_local=True,
    receiving=True,
    rank=1,
)
