# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Exceptions. The text of each one is a complete sentence for the user."""

from __future__ import annotations

import typing as t

Value = t.TypeVar("Value")


class Failure(Exception):
    """Base class of everything that a task reports with fail_json and without a traceback.

    Its arguments are sentences; duplicates are reported once. ``aftermath`` is a sentence on the state of the host since then,
    and part of the text. The other attributes concern the steps of the failed batch: ``done`` were executed, ``unsure`` may have
    been executed, ``failed`` failed, each with its own Failure. ``atomic`` means that the batch was one transaction, and that
    the responsible step is not known.
    """

    aftermath = ""
    done: t.Sequence[t.Any] = ()
    unsure: t.Sequence[t.Any] = ()
    failed: t.Sequence[t.Tuple[t.Any, Failure]] = ()
    atomic = False

    def __str__(self) -> str:
        return " ".join(filter(None, dict.fromkeys((*self.sentences, self.aftermath))))

    @property
    def sentences(self) -> t.Tuple[str, ...]:
        """The sentences without the aftermath."""
        return tuple(str(argument) for argument in self.args)


class BadInput(Failure):
    """The value of an option is invalid on any host."""


class Conflict(Failure):
    """The plan conflicts with something on the host that it must not take or destroy."""


class Unusable(Failure):
    """The collection can't run here: pyroute2 or a privilege is missing, or the lock is not available."""


class Refused(Failure):
    """The kernel refused a step.

    ``text`` is the kernel's message (its extended acknowledgement, or else strerror), ``code`` the positive errno.
    """

    def __init__(self, doing: str, text: str, code: int, hint: str = "") -> None:
        sentence = "%s failed: %s." % (doing, text.rstrip("."))
        super().__init__(" ".join(filter(None, (sentence[0].upper() + sentence[1:], hint))))
        self.text = text
        self.code = code


class PrerequisiteMissing(Failure):
    """Prerequisites of the task are missing. In check mode these are warnings."""

    def __init__(self, sentences: t.Sequence[str]) -> None:
        super().__init__(*sentences)


class NotApplied(Failure):
    """The kernel acknowledged changes that are not in effect."""


class Complaints:
    """Collects all errors of a document or a plan, so that one exception reports them."""

    def __init__(self) -> None:
        self.sentences: t.List[str] = []
        self._kind: t.Type[Failure] = BadInput

    def attempt(self, function: t.Callable[..., Value], *arguments: t.Any) -> t.Optional[Value]:
        """Call a function and return its result; None if it raises BadInput or Conflict, whose sentences are collected."""
        try:
            return function(*arguments)
        except (BadInput, Conflict) as error:
            self._kind = self._kind if self.sentences else type(error)
            self.sentences += error.sentences
            return None

    def note(self, sentence: str) -> None:
        """Collect a sentence unless it is empty."""
        self.sentences += [sentence] if sentence else []

    def report(self, *more: str) -> None:
        """Raise the first exception, or BadInput, with all sentences and ``more``; nothing if there are no sentences."""
        if self.sentences:
            raise self._kind(*self.sentences, *more)


class Unforeseen(Failure):
    """Any other exception, which is the ``__cause__`` of this one."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(_sentence(error))
        self.__cause__ = error


def as_failure(error: BaseException) -> Failure:
    """The exception itself if it is a Failure, and otherwise an Unforeseen that reports it."""
    return error if isinstance(error, Failure) else Unforeseen(error)


def _sentence(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "The task ran out of memory. Raise the limit of its process (ulimit -v, or that of its cgroup)."
    if isinstance(error, OSError) and error.strerror:
        return "The operating system refused what the task needs: %s%s." % (
            error.strerror,
            " (%s)" % error.filename if error.filename else "",
        )
    told = " ".join(str(error).split())
    return (
        "An error inside virtnet.linux stopped the task: %s%s. Run it with -vvv for the traceback, and report it."
        % (
            type(error).__name__,
            ": " + told.rstrip(".") if told else "",
        )
    )
