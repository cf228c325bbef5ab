# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What steps ask of the kernel, and how it is sent. Nothing here needs pyroute2."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Refused
from ansible_collections.virtnet.linux.plugins.module_utils._links import (
    addresses,
    bridge_ports,
    neighbors,
    netns,
    routes,
    steps,
    vlans,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Address, Link, Ref, Route, Vlan
from ansible_collections.virtnet.linux.plugins.module_utils._links.run import GROUP_MIN, Batch
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    NLM_F_ACK,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    NetlinkError,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Namespaces


class FakeSpace:
    """A namespace that refuses some of the requests, by their number."""

    def __init__(self, refused: t.Collection[int] = (), links: t.Iterable[str] = ()) -> None:
        self.sent: t.List[t.List[Request]] = []
        self.refused = refused
        self.there = [*links]
        self.known: t.Set[str] = set()

    @property
    def requests(self) -> t.List[Request]:
        return [request for some in self.sent for request in some]

    def encode(self, request: Request) -> Request:
        assert request.flags & NLM_F_ACK
        return request

    def send(self, requests: t.Sequence[Request]) -> t.List[t.Optional[NetlinkError]]:
        first = len(self.requests)
        self.sent.append([*requests])
        numbers = range(first, first + len(requests))
        return [NetlinkError(errno.EEXIST) if number in self.refused else None for number in numbers]

    def knows(self, name: str) -> bool:
        return name in self.known

    def index_of(self, name: str) -> int:
        self.known.add(name)
        return 7

    def forget(self) -> None:
        self.known.clear()

    def links(self) -> t.Dict[str, FakeLink]:
        return {name: FakeLink() for name in self.there}


class FakeLink:
    """The message that describes a veth."""

    def get_attr(self, name: str) -> int:
        return {"IFLA_GROUP": 0}[name]

    def get_nested(self, _outer: str, _inner: str) -> str:
        return "veth"


class FakeSpaces:
    def __init__(self, **spaces: FakeSpace) -> None:
        self.spaces = spaces

    def require(self, reference: str) -> FakeSpace:
        return self.spaces[reference]


def run(batch: t.Sequence[LinkStep], **spaces: FakeSpace) -> None:
    Batch(t.cast("Namespaces", FakeSpaces(**spaces))).run(batch)


def types(space: FakeSpace) -> t.List[t.List[int]]:
    return [[request.type for request in some] for some in space.sent]


A, B = Ref("one", "a"), Ref("two", "b")


def test_steps_need_no_library() -> None:
    program = (
        "import sys; sys.modules['pyroute2'] = None; import %s; "
        "sys.exit(any(name.endswith('_netlink.socket') for name in sys.modules))" % steps.__name__
    )
    # ansible-test finds the collection through its own importer.
    tree = next(folder.parent for folder in Path(str(steps.__file__)).parents if folder.name == "ansible_collections")
    env = {**os.environ, "PYTHONPATH": str(tree)}
    assert subprocess.run([sys.executable, "-c", program], env=env, check=False).returncode == 0


def test_each_step_says_what_it_asks_of_the_kernel() -> None:
    found = LinkStep.__subclasses__()
    assert {netns.NetnsAdd, neighbors.NeighborSet, steps.LinkAdd} <= set(found)
    assert [step for step in found if not {"requests", "execute"} & vars(step).keys()] == []


def test_requests_for_one_namespace_are_sent_together() -> None:
    one, two = FakeSpace(), FakeSpace()
    one.known, two.known = {"a"}, {"b"}
    run(
        [
            steps.LinkSet(A, "state", "up"),
            addresses.AddressAdd(A, Address("192.0.2.1/24")),
            routes.RouteAdd(A, Route("0.0.0.0/0", "192.0.2.2")),
            vlans.VlanAdd(B, Vlan(5), 9),
            bridge_ports.LinkSetMaster(B, ""),
            bridge_ports.PortSet(A, (("cost", 5),)),
        ],
        one=one,
        two=two,
    )
    assert types(one) == [[RTM_SETLINK, 20, 24], [RTM_NEWLINK]]
    assert types(two) == [[RTM_SETLINK, RTM_SETLINK]]


def test_requests_are_sent_before_an_index_is_asked_for_that_depends_on_them() -> None:
    one = FakeSpace()
    run([steps.LinkAdd(Link(A, "veth")), steps.LinkSet(A, "state", "up"), vlans.VlanAdd(A, Vlan(5), 5)], one=one)
    assert types(one) == [[RTM_NEWLINK, RTM_SETLINK], [RTM_SETLINK]]


def test_what_was_done_of_a_batch_is_told() -> None:
    one = FakeSpace(refused=[1, 3])
    one.known = {"a"}
    batch = [addresses.AddressAdd(A, Address("192.0.2.%d/24" % number)) for number in range(1, 6)]
    with pytest.raises(Refused, match=r"Adding address 192\.0\.2\.2/24 .*The link has it already") as caught:
        run(batch, one=one)
    assert caught.value.done == (batch[0], batch[2], batch[4])
    assert [step for step, _failure in caught.value.failed] == [batch[1], batch[3]]


def test_a_step_of_which_only_one_half_is_done_is_not_done() -> None:
    one = FakeSpace(refused=[2])
    first = steps.LinkSet(Ref("one", "c"), "state", "up")
    with pytest.raises(Refused) as caught:
        run([first, steps.LinkAside(A, "aside")], one=one)
    assert types(one) == [[RTM_SETLINK, RTM_SETLINK], [RTM_SETLINK]]
    assert caught.value.done == (first,)


@pytest.mark.parametrize("refused", [[], [GROUP_MIN]])
def test_many_deletions_are_one(refused: t.List[int]) -> None:
    names = ["v%d" % number for number in range(GROUP_MIN)]
    one = FakeSpace(refused, links=["other", *names])
    batch = [steps.LinkDel(Link(Ref("one", name), "veth")) for name in names]
    if not refused:
        run(batch, one=one)
        assert types(one) == [[RTM_SETLINK] * GROUP_MIN, [RTM_DELLINK]]
        return
    with pytest.raises(Refused) as caught:
        run(batch, one=one)
    assert caught.value.done == ()
    # The links get their groups back.
    assert types(one) == [[RTM_SETLINK] * GROUP_MIN, [RTM_DELLINK], [RTM_SETLINK] * GROUP_MIN]
    assert {dict(request.attributes)["IFLA_GROUP"] for request in one.sent[-1]} == {0}
