# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Steps that change namespaces and links, and the interface of what executes them.

Steps are created, simulated and printed as commands without pyroute2. A step states its requests to the kernel
(``requests``, or ``execute`` if it does more than send requests) and the likely cause of a refusal (``hint``).
"""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import NetlinkError, Request


class Runner:
    """What a step can use while it is executed.

    Namespaces are given by reference. All methods raise Refused if the namespace doesn't exist.
    """

    def index(self, ref: Ref) -> int:
        """Index of a link. Raises NetlinkError if the link doesn't exist."""
        raise NotImplementedError

    def descriptor(self, netns: str) -> int:
        """File descriptor of a namespace for a request of the current step; open until the request is sent."""
        raise NotImplementedError

    def send(self, netns: str, requests: t.Iterable[Request]) -> None:
        """Queue requests in a namespace; they are sent together with those of other steps."""
        raise NotImplementedError

    def attempt(self, netns: str, requests: t.Iterable[Request]) -> t.List[t.Optional[NetlinkError]]:
        """Send requests at once, after all waiting ones. Returns the error of each, or None."""
        raise NotImplementedError

    def do(self, netns: str, request: Request) -> None:
        """Send one request at once, after all waiting ones. Raises NetlinkError."""
        for error in self.attempt(netns, [request]):
            if error:
                raise error

    def flush(self) -> None:
        """Send all waiting requests."""
        raise NotImplementedError

    def inside(self, netns: str) -> t.ContextManager[None]:
        """Enter a namespace, after all waiting requests have been sent."""
        raise NotImplementedError

    def link(self, ref: Ref) -> t.Any:
        """Message that describes a link at this moment; None if the link doesn't exist."""
        raise NotImplementedError

    def links(self, netns: str) -> t.Mapping[str, t.Any]:
        """Messages that describe all links of a namespace at this moment, by name."""
        raise NotImplementedError

    def forget(self, *namespaces: str) -> None:
        """Drop the cached indexes of links in some namespaces, because they change."""
        raise NotImplementedError

    def make_namespace(self, name: str) -> None:
        """Create a named namespace. Raises OSError."""
        raise NotImplementedError

    def unname_namespace(self, name: str) -> None:
        """Remove the name of a namespace, which stays open. Raises OSError."""
        raise NotImplementedError

    def rename_namespace(self, name: str) -> None:
        """Restore the name that was removed from a namespace. Raises OSError."""
        raise NotImplementedError


class LinkStep(Step):
    """A step that the kernel runs."""

    batch = "kernel"

    def refs(self) -> t.Set[Ref]:
        ref = getattr(self, "ref", None)
        return {ref} if ref else set()

    @property
    def asked_in(self) -> str:
        """Namespace in which the requests are sent."""
        ref: Ref = vars(self)["ref"]
        return ref.netns

    def requests(self, runner: Runner) -> t.List[Request]:
        """Requests to the kernel. A step has this or ``execute``."""
        raise NotImplementedError

    def execute(self, runner: Runner) -> None:
        """Execute the step. Requests may be queued and sent together with those of other steps."""
        runner.send(self.asked_in, self.requests(runner))

    @property
    def group(self) -> t.Hashable:
        """Consecutive steps with an equal value are executed by one ``execute_all``; None to disable this."""
        return None

    def execute_all(self, runner: Runner, group: t.Sequence[t.Any]) -> None:
        """Execute all steps of a group, of which this is the first."""
        raise NotImplementedError

    def hint(self, code: int) -> str:
        """Likely cause if the kernel refuses the step with an errno; empty to use that of ``refusals.hint``."""
        return ""


def show(value: t.Any) -> str:
    """A value of an option, for a sentence."""
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return quoted(value) if isinstance(value, str) else str(value).lower()
