"""What can go wrong, said kindly: one tree of errors, each class owning its exit code, and the :class:`Issue` they carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much an issue matters; errors stop a run, warnings and notes are carried to every output."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the inputs: ``row`` counts as a spreadsheet does (the heading is row 1); ``id`` is the row's, if it has one."""

    file: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    id: str = ""

    def __str__(self) -> str:
        parts = [self.file]
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f"column {self.column}")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong or worth knowing: where, what, and what to do about it.

    ``code`` is stable and short (``sites.duplicate-id``), for tests and for filtering the JSON of ``estate check``.
    ``rows`` is what is said after the message of rows by their number.  It is for whoever has the files open; what is published
    names rows by their id, so that it is the same in whatever order they stand.
    """

    code: str
    message: str
    remedy: str = ""
    where: Where = Where()
    severity: Severity = Severity.ERROR
    rows: str = ""

    @property
    def text(self) -> str:
        """The message, and the rows by number."""
        return self.message + self.rows

    def __str__(self) -> str:
        place = f"{self.where}: " if str(self.where) else ""
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{place}{self.text}{remedy}"

    def as_row(self) -> dict[str, object]:
        """The issue as one flat row, for JSON and CSV."""
        row = asdict(self)
        where = row.pop("where")
        return {**row, "severity": str(self.severity), **where}


class EstateError(Exception):
    """The root.  ``issues`` holds the complete list; ``str()`` is what the command line prints."""

    exit_code = 1

    def __init__(self, message: str = "", issues: Iterable[Issue] = ()) -> None:
        self.issues: Sequence[Issue] = tuple(issues)
        super().__init__(message or "; ".join(str(issue) for issue in self.issues))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self.issues))


class UsageError(EstateError):
    """The command line's own words are wrong."""

    exit_code = 2


class InputError(EstateError):
    """A scenario or an input file is wrong; carries every problem found."""

    exit_code = 3


class SolverError(InputError):
    """A solver is missing, refused or broke down."""


class DownloadError(InputError):
    """Something that was asked for over the network did not come."""


class InfeasibleError(EstateError):
    """No plan can meet all the rules: proven."""

    exit_code = 4


class NotOptimalError(EstateError):
    """A plan was found and published, but not proven optimal, and the caller insisted."""

    exit_code = 5


class NoPlanError(EstateError):
    """The search ended with no plan, and no proof that there is none."""

    exit_code = 6


class VerificationError(EstateError):
    """The referee disagrees with the plan: nothing is published."""

    exit_code = 7


class WriteError(EstateError):
    """Results cannot be written, or another run holds the lock."""

    exit_code = 8


class BatchError(EstateError):
    """A batch of scenarios finished, some of them with failures."""

    exit_code = 9


def errors_of(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Only those that stop a run."""
    return tuple(issue for issue in issues if issue.severity is Severity.ERROR)


def raise_for(issues: Iterable[Issue], message: str = "") -> None:
    """Raise :class:`InputError` with the complete list when any of the issues is an error."""
    found = tuple(issues)
    bad = errors_of(found)
    if bad:
        count = f"{len(bad)} problem{'s' if len(bad) > 1 else ''} in the inputs"
        raise InputError(message or count, found)
