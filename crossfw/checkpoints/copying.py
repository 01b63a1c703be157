"""Bytes from one file into another by the kernel, which never brings them into this process."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

PIECE = 1 << 26  # in one call
UNABLE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK, errno.EPERM}


def ways() -> Iterator[Callable[[int, int, int, int], int]]:
    """What this platform has to copy (source, destination, offset in the source, count): how many bytes it copied."""
    if hasattr(os, "copy_file_range"):
        yield lambda source, destination, offset, count: os.copy_file_range(source, destination, count, offset)
    if hasattr(os, "sendfile"):
        yield lambda source, destination, offset, count: os.sendfile(destination, source, offset, count)


def kernel_copy(source: int, destination: int, offset: int, count: int) -> int:
    """Copy bytes to where the destination stands; how many of them came, from the first on.

    Fewer than `count`, perhaps none, where the platform or the file systems cannot do it: the rest is to be written.

    Args:
        source, destination: file descriptors; nothing waits in a buffer of the destination.

    Raises:
        OSError: the disk is full, or something else is wrong that another way of copying would meet too.
    """
    done = 0
    for way in ways():
        try:
            while done < count and (copied := way(source, destination, offset + done, min(PIECE, count - done))):
                done += copied
        except OSError as error:
            if error.errno not in UNABLE:
                raise
        if done == count:
            break
    return done
