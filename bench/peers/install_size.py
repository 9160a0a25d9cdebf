"""Bytes on the disk of packages and of all that they require (without extras), from what pip recorded of each."""
import json
import os
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names):
    found, waiting = {}, list(names)
    while waiting:
        name = plain(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # Needed on another system only.
        for text in found[name].requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def size(found):
    # Some packages share folders: each file once. Compiled files come with the first run and are not in the list.
    paths = {str(file.locate()) for file in found.files or []}
    total = 0
    for path in paths:
        try:
            total += os.lstat(path).st_size
        except OSError:
            pass
    return total


def total(sizes):
    return sum(length for length, _ in sizes)


# What pip gives on Linux holds CUDA. An install for the processor alone leaves these out (and its torch is smaller).
CUDA = re.compile(r"(nvidia|cuda|triton|cufile)")
sizes = sorted(((size(found), name) for name, found in closure(sys.argv[1:]).items()), reverse=True)
plain_sizes = [(length, name) for length, name in sizes if not CUDA.match(name)]
largest = ", ".join(f"{name} {round(length / 2**20)} MB" for length, name in plain_sizes[:2])
figures = [f"{len(plain_sizes)} packages", largest, f"with CUDA, as pip installs it, {round(total(sizes) / 2**20)} MB"]
print(json.dumps({"peakBytes": total(plain_sizes), "check": None, "figures": figures}))
