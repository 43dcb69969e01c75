# SPDX-License-Identifier: Apache-2.0
"""Write small NetCDF classic files, good and bad ones, without any library.

    write("a.nc", {"lat": 3, "time": None}, [
        ("lat", ["lat"], "f", {"units": "degrees_north"}, [-10, 0, 10])])

A dimension of None is the unlimited one and has as many points as its first variable has
records.  Attributes are texts, or (type, numbers).  Types: b c h i f d."""

import struct

CODES = {"b": 1, "c": 2, "h": 3, "i": 4, "f": 5, "d": 6}


def padded(data):
    return data + bytes(-len(data) % 4)


def text(word):
    return struct.pack(">i", len(word)) + padded(word.encode())


def numbers(kind, values):
    return struct.pack(f">{len(values)}{kind}", *values)


def attributes(attrs):
    if not attrs:
        return bytes(8)
    out = struct.pack(">ii", 12, len(attrs))
    for name, value in attrs.items():
        kind, values = ("c", value.encode()) if isinstance(value, str) else value
        data = values if kind == "c" else numbers(kind, values)
        out += text(name) + struct.pack(">ii", CODES[kind], len(values)) + padded(data)
    return out


def write(path, dims, variables, attrs=None):
    names = list(dims)
    each, records = [], 0
    for name, over, kind, own, values in variables:
        count = 1
        for dim in over:
            count *= dims[dim] or 1
        open_ended = bool(over) and dims[over[0]] is None
        if open_ended:
            records = len(values) // count
        each.append((name, over, kind, own, values, count, open_ended))
    tail = []

    def header(begins):
        out = b"CDF\x01" + struct.pack(">i", records)
        out += struct.pack(">ii", 10, len(dims)) if dims else bytes(8)
        for name in names:
            out += text(name) + struct.pack(">i", dims[name] or 0)
        out += attributes(attrs)
        out += struct.pack(">ii", 11, len(each))
        for (name, over, kind, own, _, count, _), begin in zip(each, begins):
            size = len(padded(bytes(count * struct.calcsize(">" + kind))))
            out += text(name) + struct.pack(">i", len(over))
            out += struct.pack(f">{len(over)}i", *map(names.index, over))
            out += attributes(own)
            out += struct.pack(">iii", CODES[kind], size, begin)
        return out

    at, begins = len(header([0] * len(each))), [0] * len(each)
    for ends in (False, True):
        for i, (name, over, kind, own, values, count, open_ended) in enumerate(each):
            if open_ended == ends:
                begins[i] = at
                at += len(padded(bytes(count * struct.calcsize(">" + kind))))
    for name, over, kind, own, values, count, open_ended in each:
        if not open_ended:
            tail.append(padded(numbers(kind, values)))
    for record in range(records):
        for name, over, kind, own, values, count, open_ended in each:
            if open_ended:
                tail.append(padded(numbers(kind, values[record * count:][:count])))
    with open(path, "wb") as file:
        file.write(header(begins) + b"".join(tail))
