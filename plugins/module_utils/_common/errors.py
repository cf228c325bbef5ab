# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What can go wrong. The text of each of these is a whole sentence for the person at the playbook."""

from __future__ import annotations

import typing as t

Value = t.TypeVar("Value")


class Failure(Exception):
    """Base of everything that a task reports with fail_json instead of a traceback.

    Its arguments are sentences, each of which is told once. ``aftermath`` tells what became of the host since; it is part
    of the text. ``done`` are the steps that were done all the same, of the batch that failed; ``unsure`` are those of which it
    is not known. ``failed`` are all steps of it that failed, each with its own failure, where several were tried. ``atomic``
    means that the batch was one transaction, and that it is not known which of its steps is the reason.
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
        """What is wrong, without what became of it."""
        return tuple(str(argument) for argument in self.args)


class BadInput(Failure):
    """An option's value can't be right, whatever the host looks like."""


class Conflict(Failure):
    """The host holds something that the plan would have to take or destroy."""


class Unusable(Failure):
    """This host or this user can't run the collection: no pyroute2, no privilege, a lock that nobody releases."""


class Refused(Failure):
    """The kernel said no to a step.

    ``text`` is the kernel's own sentence (its extended acknowledgement, or strerror where it sent none), and
    ``code`` the positive errno.
    """

    def __init__(self, doing: str, text: str, code: int, hint: str = "") -> None:
        sentence = "%s failed: %s." % (doing, text.rstrip("."))
        super().__init__(" ".join(filter(None, (sentence[0].upper() + sentence[1:], hint))))
        self.text = text
        self.code = code


class PrerequisiteMissing(Failure):
    """Things that the task builds upon are not there (in check mode these are warnings instead)."""

    def __init__(self, sentences: t.Sequence[str]) -> None:
        super().__init__(*sentences)


class NotApplied(Failure):
    """The kernel acknowledged the changes, and yet they were not there when read again."""


class Complaints:
    """Collects what is wrong with a document or a plan, so that one error reports all of it."""

    def __init__(self) -> None:
        self.sentences: t.List[str] = []
        self._kind: t.Type[Failure] = BadInput

    def attempt(self, function: t.Callable[..., Value], *arguments: t.Any) -> t.Optional[Value]:
        """What the function returns; None if it raises BadInput or Conflict, whose sentences are kept."""
        try:
            return function(*arguments)
        except (BadInput, Conflict) as error:
            self._kind = self._kind if self.sentences else type(error)
            self.sentences += error.sentences
            return None

    def note(self, sentence: str) -> None:
        """Keep a sentence, if it isn't empty."""
        self.sentences += [sentence] if sentence else []

    def report(self, *more: str) -> None:
        """Raises what was raised first, or BadInput, with all that was wrong and ``more``; if anything was wrong."""
        if self.sentences:
            raise self._kind(*self.sentences, *more)


class Unforeseen(Failure):
    """Any other exception, which is the ``__cause__`` of this one."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(_sentence(error))
        self.__cause__ = error


def as_failure(error: BaseException) -> Failure:
    """The exception itself if it is a Failure, and one that tells of it otherwise."""
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
