"""What it costs to have a file's bytes at hand that the system has in its cache: read into memory that is kept, or mapped.

Each way brings a file in pieces of the size of a weight and adds all of it up once, as a merge reads it once; what adding up memory
takes alone stands in the first row. `python bench/mapping.py <file> [MiB of a piece]`. Medians of seven rounds, by CPU time of the process.
"""

import mmap
import os
import statistics
import sys
import time

import numpy as np

ROUNDS = 7


def total(memory):
    return int(np.frombuffer(memory, dtype=np.uint64).sum(dtype=np.uint64))


class Kept:
    """Reads each piece into the same memory."""

    def __init__(self, size):
        self.memory = bytearray(size)

    def sum(self, file, start, size):
        own = memoryview(self.memory)[:size]
        assert os.preadv(file, [own], start) == size
        return total(own)


class New:
    """Reads each piece into memory that the system gives anew."""

    def __init__(self, size):
        pass

    def sum(self, file, start, size):
        with mmap.mmap(-1, size) as memory:
            assert os.preadv(file, [memory], start) == size
            return total(memory)


class Mapped:
    flags, advice = mmap.MAP_PRIVATE, None

    def __init__(self, size):
        pass

    def sum(self, file, start, size):
        with mmap.mmap(file, size, flags=self.flags, prot=mmap.PROT_READ, offset=start) as memory:
            if self.advice is not None:
                memory.madvise(self.advice)
            return total(memory)


class Populated(Mapped):
    flags = mmap.MAP_PRIVATE | mmap.MAP_POPULATE


class Huge(Mapped):
    advice = mmap.MADV_HUGEPAGE


class Staying(Mapped):
    """Keeps its mappings from one round to the next."""

    def __init__(self, size):
        self.mapped = {}

    def sum(self, file, start, size):
        if start not in self.mapped:
            self.mapped[start] = mmap.mmap(file, size, flags=self.flags, prot=mmap.PROT_READ, offset=start)
        return total(self.mapped[start])


class Memory(Kept):
    """Adds up what is in memory already, so that the sum itself is known."""

    def sum(self, file, start, size):
        return total(memoryview(self.memory)[:size])


WAYS = {
    "the sum alone, of kept memory": Memory,
    "read into kept memory": Kept,
    "read into new memory": New,
    "mapped": Mapped,
    "mapped, with MAP_POPULATE": Populated,
    "mapped, with MADV_HUGEPAGE": Huge,
    "mapped before, and still": Staying,
}


def main(path, mebibytes="64"):
    file = os.open(path, os.O_RDONLY)
    piece = int(mebibytes) * 2**20
    size = os.fstat(file).st_size // piece * piece
    ways = {name: way(piece) for name, way in WAYS.items()}
    seconds = {name: [] for name in ways}
    for round in range(ROUNDS + 1):
        sums = {}
        for name, way in ways.items():
            began = time.process_time()
            try:
                sums[name] = sum(way.sum(file, start, piece) for start in range(0, size, piece)) % 2**64
            except OSError as error:
                seconds[name] = error
                continue
            if round > 0:
                seconds[name].append(time.process_time() - began)
        assert len(set(sums[name] for name in sums if "alone" not in name)) == 1
    print(f"{size / 2**30:.1f} GiB in pieces of {mebibytes} MiB")
    for name, own in seconds.items():
        known = "refused: " + own.strerror if isinstance(own, OSError) else f"{size / 2**30 / statistics.median(own):.1f} GiB a CPU-second"
        print(f"{name:32}{known}")


if __name__ == "__main__":
    main(*sys.argv[1:])
