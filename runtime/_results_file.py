"""The results file of `signalwire-compat bulk`: what was sent, and what became of it.

It holds one JSON object a line, the first one about the job, and only grows. What the last line of
a row says counts. Beside it stands a lock file, which knows how long the results are.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

try:
    import fcntl
except ImportError:  # On Windows.
    fcntl = None  # type: ignore[assignment]

IN_FLIGHT = "in flight"
DONE = "done"
EXISTING = "existing"
FAILED = "failed"
UNKNOWN = "unknown"
OUTCOMES = (IN_FLIGHT, DONE, EXISTING, FAILED, UNKNOWN)
"""Being sent; carried out; there before, so not sent; had no effect; may have had one."""

Record = dict[str, Any]
_UNUSED = 2**30


class ResultsFile:
    """A results file that no other run uses."""

    def __init__(
        self, path: Path, job: Record, key: Callable[[Record], str], rows: Path | None
    ) -> None:
        """Lock and read the file, or create it.

        `key` gives what tells the arguments of a row from others. `rows` is the input file, which
        is locked as well. Without one, lost records can't be replaced by looking.
        Errors: `ValueError` that names the line, also if another run uses a file; `OSError`.
        """
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is not a regular file. Name another one.")
        if not path.parent.is_dir():
            raise ValueError(f"{path} can't be created: {path.parent} is not a folder.")
        self.path = path.resolve()
        self.key = key
        # A hard link has the same lock as the file. The lock file stays if an editor replaces it.
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        self._lock = os.fdopen(lock, "rb+", buffering=0)
        self._files: list[IO[Any]] = [
            self._lock,
            self.path.open("ab"),
            *(p.open() for p in [rows] if p),
        ]
        try:
            for file, name in zip(self._files, (path, path, rows), strict=False):
                try:
                    _lock(file)
                except (BlockingIOError, PermissionError):
                    what = "is in use by another run. Wait until it ends"
                    raise ValueError(f"{name} {what}.") from None
            self.records = self._read(job)
            self._seen = _fingerprint(self._files[1])
            self._longest = int(self._lock.read() or 0)
            self._cut = max(0, self._longest - self._seen[2])
            written = datetime.fromtimestamp(os.fstat(lock).st_mtime, UTC)
            self.cut_since = written if self._cut else None
            """When the file was written last, if something was cut off it."""
            if self._cut and rows is None:
                what = "is shorter than the last run left it, and may lack what was done"
                raise ValueError(f"{path} {what}. Restore it, or name another file for a new job.")
            if not self._seen[2]:
                self._append(job)
                _keep_name(self.path)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let another run use the file."""
        for file in self._files:
            file.close()

    def write(self, arguments: Record, outcome: str, **details: Any) -> None:
        """Add a record and wait until it is on the disk: milliseconds.

        Errors: `OSError`, also if somebody else has changed the file.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {"at": at, "outcome": outcome, "arguments": arguments, **details}
        seen = self._seen
        try:
            found = self._append(record)
        except OSError as error:
            what = f"{self.path} can't be written: {error.strerror}"
            raise OSError(f"{what}. Not written: {json.dumps(record)}") from error
        self.records[self.key(arguments)] = record
        if found != seen:
            raise OSError(f"{self.path} was changed during the run. Run it again.")

    def _append(self, record: Record) -> tuple[int, ...]:
        """Add a record. Returns what told the file from others before that."""
        # Opened each time, so that the record goes where the next run reads it.
        with self.path.open("a+b") as file:
            found = _fingerprint(file)
            file.seek(max(0, file.tell() - 1))
            if file.read() not in (b"", b"\n"):
                file.write(b"\n")  # Missing after an edit, or after a full disk.
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._lock.seek(0)
            # What was cut off still counts: the next run must know of it, however long the file is.
            self._longest = max(self._longest, file.tell() + self._cut)
            self._lock.write(b"%020d" % self._longest)
            self._seen = _fingerprint(file)
            return found

    def _read(self, job: Record) -> dict[str, Record]:
        head, *lines = self.path.read_bytes().split(b"\n")
        found = _parsed(head) if head or lines else job
        if not isinstance(found, dict) or found.keys() != job.keys():
            raise ValueError(f"{self.path} is not a results file. Name another one.")
        for name, value in job.items():
            if found[name] != value:
                what = f"belongs to {name} {found[name]}, not to {value}"
                raise ValueError(f"{self.path} {what}. Name another file.")
        records = {}
        for number, line in enumerate(lines, 2):
            if (record := _parsed(line)) is None:
                continue  # Cut off. Its row was not sent, or a line before says that it was.
            try:
                sent_at(record)
                OUTCOMES.index(record["outcome"])
                records[self.key(record["arguments"])] = record
            except (LookupError, TypeError, ValueError):
                what = f"line {number} is not a record of this command"
                raise ValueError(f"{self.path}: {what}. Correct or remove it.") from None
        return records


def _lock(file: IO[Any]) -> None:
    """Lock a file until it is closed. Errors: `OSError` if another run has locked it."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    # Windows lets nobody else read or write what is locked: lock a byte that is never used.
    msvcrt: Any = importlib.import_module("msvcrt")
    place = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    os.lseek(file.fileno(), _UNUSED, os.SEEK_SET)
    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    os.lseek(file.fileno(), place, os.SEEK_SET)


def _keep_name(path: Path) -> None:
    """Wait until the name of a new file is on the disk. Windows has no way to do that."""
    with contextlib.suppress(PermissionError):
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def sent_at(record: Record) -> datetime:
    """Give the time of a record."""
    return datetime.fromisoformat(record["at"]).astimezone(UTC)


def _fingerprint(file: IO[Any]) -> tuple[int, ...]:
    stat = os.fstat(file.fileno())
    return stat.st_dev, stat.st_ino, stat.st_size


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (RecursionError, ValueError):
        return None
