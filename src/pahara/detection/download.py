"""One file from the web to the disk: resumed after a cut, checked, and there either whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from pahara.core import ModelError

CHUNK = 1 << 16
TIMEOUT = 20.0  # seconds without a byte
TRIES = 4  # a cut is taken up again this often in one go
Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0 where unknown)


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    size: int = 0,
    title: str = "",
    advice: str = "",
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> str:
    """Fetch `url` into `target`; -> its SHA-256 in hex.

    What has arrived stays in `target` + ".part" and is continued (HTTP Range) after a cut, now or in a later run.
    The file appears under its own name only when its length and its `sha256` (where given) are right; a wrong one
    is removed. `size` is the expected number of bytes, 0 where unknown. ModelError says what to do.
    """
    title = title or target.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"cannot make the folder {target.parent} for models ({error.strerror}); set PAHARA_MODELS to one that exists"
        ) from error
    part = target.with_name(target.name + ".part")
    with contextlib.ExitStack() as stack:
        tell = progress or stack.enter_context(_bar(title))
        _receive(url, part, size, title, advice, timeout, tell)
    got = sha256_of(part)
    if sha256 and got != sha256.lower():
        part.unlink()
        raise ModelError(
            f"{title} from {url} is not the file it should be (SHA-256 {got}, expected {sha256}); it was removed. Try again later{_or(advice)}"
        )
    part.replace(target)
    return got


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receive(url: str, part: Path, size: int, title: str, advice: str, timeout: float, tell: Progress) -> None:
    for turn in range(TRIES):
        before = part.stat().st_size if part.exists() else 0
        if size and before > size:
            part.unlink()  # the remains of another file
            before = 0
        try:
            if _receive_once(url, part, size, timeout, tell):
                return
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            if error.code == 416 and part.exists():  # nothing left to send, or the remains of another file
                if size and part.stat().st_size == size:
                    return
                part.unlink()
                reason = "the server did not continue the file"
            elif error.code in (429, 500, 502, 503, 504) and turn + 1 < TRIES:
                reason = f"the server said {error.code}"
            else:
                raise ModelError(f"{title} is not at {url} (HTTP {error.code} {error.reason}){_or(advice, 'instead, ')}") from error
        except urllib.error.URLError as error:
            raise ModelError(f"no internet: {title} cannot be fetched from {url} ({_why(error)}){_or(advice, '')}") from error
        except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
            reason = "no byte came for a while" if isinstance(error, TimeoutError) else "the connection was cut"
        except OSError as error:
            raise ModelError(f"cannot write {part} ({error.strerror or error}); free some space or set PAHARA_MODELS") from error
        after = part.stat().st_size if part.exists() else 0
        if turn + 1 < TRIES:
            time.sleep(0.1 if after > before else 0.5 * 2**turn)
    raise ModelError(
        f"{title} did not arrive whole from {url} ({reason}; {part.stat().st_size if part.exists() else 0:,} bytes are kept and the next run continues there){_or(advice)}"
    )


def _receive_once(url: str, part: Path, size: int, timeout: float, tell: Progress) -> bool:
    """-> whether all of it has arrived."""
    have = part.stat().st_size if part.exists() else 0
    if size and have == size:
        return True
    request = urllib.request.Request(url, headers={"User-Agent": "pahara", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        if have and not _continues(answer, have):
            have = 0  # a server without Range sends everything again
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else size
        with part.open("ab" if have else "wb") as file:
            tell(have, total)
            while True:
                try:
                    chunk = answer.read1(CHUNK)
                except http.client.IncompleteRead as cut:
                    chunk = cut.partial
                    if not chunk:
                        break
                if not chunk:
                    break
                file.write(chunk)
                have += len(chunk)
                tell(have, total)
    return have == total if total else True


def _continues(answer: http.client.HTTPResponse, have: int) -> bool:
    return answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _why(error: urllib.error.URLError) -> str:
    reason = error.reason
    return str(getattr(reason, "strerror", None) or reason)


def _or(advice: str, lead: str = "or ") -> str:
    return f"; {lead}{advice}" if advice else ""


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Progress]:
    """A progress bar on stderr where a person looks; silence elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task(title, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total or None)
