# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a step that changes namespaces and links can do, and what it can ask of that which runs it.

Pure: a step is made, simulated and spelled without pyroute2. It also says itself what it asks of the kernel (``requests``,
or ``execute`` where that is more than a request), and what may be the reason when the kernel refuses it (``hint``).
"""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import NetlinkError, Request


class Runner:
    """What runs steps, as they see it.

    Namespaces are given by reference. Every method raises Refused if a namespace that it is given doesn't exist.
    """

    def index(self, ref: Ref) -> int:
        """The index of a link. Raises NetlinkError if there is none."""
        raise NotImplementedError

    def descriptor(self, netns: str) -> int:
        """A descriptor of a namespace, for a request of the current step; it stays open until that is sent."""
        raise NotImplementedError

    def send(self, netns: str, requests: t.Iterable[Request]) -> None:
        """Send requests in a namespace, together with those of other steps."""
        raise NotImplementedError

    def attempt(self, netns: str, requests: t.Iterable[Request]) -> t.List[t.Optional[NetlinkError]]:
        """Send requests at once, after all that wait. Returns what the kernel has against each."""
        raise NotImplementedError

    def do(self, netns: str, request: Request) -> None:
        """Send one request at once, after all that wait. Raises NetlinkError."""
        for error in self.attempt(netns, [request]):
            if error:
                raise error

    def flush(self) -> None:
        """Send all requests that wait."""
        raise NotImplementedError

    def inside(self, netns: str) -> t.ContextManager[None]:
        """Be in a namespace for a moment, when all requests that wait have been sent."""
        raise NotImplementedError

    def link(self, ref: Ref) -> t.Any:
        """The message that describes a link as it is now; None if there is none."""
        raise NotImplementedError

    def links(self, netns: str) -> t.Mapping[str, t.Any]:
        """The messages that describe all links of a namespace as they are now, by their names."""
        raise NotImplementedError

    def forget(self, *namespaces: str) -> None:
        """Forget the indexes of links in some namespaces, because they change."""
        raise NotImplementedError

    def make_namespace(self, name: str) -> None:
        """Make a namespace with a name. Raises OSError."""
        raise NotImplementedError

    def unname_namespace(self, name: str) -> None:
        """Take the name of a namespace, which stays open. Raises OSError."""
        raise NotImplementedError

    def rename_namespace(self, name: str) -> None:
        """Give a namespace the name again that was taken. Raises OSError."""
        raise NotImplementedError


class LinkStep(Step):
    """A step that the kernel runs."""

    batch = "kernel"

    def refs(self) -> t.Set[Ref]:
        ref = getattr(self, "ref", None)
        return {ref} if ref else set()

    @property
    def asked_in(self) -> str:
        """The namespace in which the kernel is asked for it."""
        ref: Ref = vars(self)["ref"]
        return ref.netns

    def requests(self, runner: Runner) -> t.List[Request]:
        """What is asked of the kernel. A step has this or ``execute``."""
        raise NotImplementedError

    def execute(self, runner: Runner) -> None:
        """Have it done. What is sent may wait, and be sent together with what other steps send."""
        runner.send(self.asked_in, self.requests(runner))

    @property
    def group(self) -> t.Hashable:
        """Many consecutive steps of which this is equal are executed as one (``execute_all``); None for none."""
        return None

    def execute_all(self, runner: Runner, group: t.Sequence[t.Any]) -> None:
        """Have all steps of a group done, of which this is the first one."""
        raise NotImplementedError

    def hint(self, code: int) -> str:
        """What may be the reason if the kernel refuses it with an errno; empty if it is the same as for other steps."""
        return ""


def show(value: t.Any) -> str:
    """A value of an option, in a sentence."""
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return quoted(value) if isinstance(value, str) else str(value).lower()
