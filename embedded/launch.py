"""Become another program, as another user, that dies with its parent.

``python -I -S launch.py DEATH_SIGNAL PARENT UID GID PROGRAM ARGUMENT…`` (UID -1: stay who we are).
A program of its own, because running Python between fork and exec is unsafe once there are threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(death_signal: int, parent: int) -> None:
    """Have the kernel send ``death_signal`` to this process when its parent dies (Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)


def become(uid: int, gid: int) -> None:
    """Give up every right of root's, for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(death_signal: str, parent: str, uid: str, gid: str, *command: str) -> None:
    """Change the user, ask for the signal (changing the user clears it), become the program."""
    if int(uid) != -1:
        become(int(uid), int(gid))
    die_with_parent(int(death_signal), int(parent))
    try:
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]} could not be started: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
