"""What schemathesis does beside what it does by itself.

Every request is sent by one of several kinds of caller, and every second one is about things that
exist (`run.py` makes both and hands them over in the environment). Statuses of 500 and above are
failures unless `demanded.txt` has them.
"""

import json
import os
import re
import zlib
from pathlib import Path

import schemathesis

WORLD = json.loads(os.environ["INFLUXD_WORLD"])
CALLERS = WORLD["callers"]
THINGS = WORLD["things"]


def demanded():
    """The lines of demanded.txt: status, operations, message, reason."""
    lines = (Path(__file__).parent / "demanded.txt").read_text().splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            status, operation, message, _reason = (part.strip() for part in line.split(" | "))
            yield int(status), re.compile(operation), re.compile(message)


DEMANDED = list(demanded())


def turn(*what):
    """A number that depends on the request alone, so that a run can be repeated."""
    return zlib.crc32(repr(what).encode())


def thing(name, number):
    """One of the things that a parameter of this name can be about; None: no such thing."""
    known = THINGS.get(name)
    return known[number % len(known)] if known else None


@schemathesis.hook
def before_call(context, case, kwargs):
    """Chooses a caller, and things that exist."""
    number = turn(case.operation.label, case.path_parameters, case.query, case.body)
    names = list(CALLERS)
    name = names[number % len(names)]
    case.headers = {
        key: value
        for key, value in (case.headers or {}).items()
        if key.lower() not in ("authorization", "cookie")
    }
    case.headers["X-Caller"] = name
    case.headers.update(CALLERS[name])
    case.cookies = {}
    number //= len(names)
    if number & 1:
        kind = case.path.strip("/").split("/{")[0].rpartition("/")[2]
        for key in case.path_parameters or {}:
            real = thing(kind if key == "id" else key, number >> 3)
            if real is not None:
                case.path_parameters[key] = real
    if number & 2:
        for key in case.query or {}:
            real = thing(key, number >> 3)
            if real is not None:
                case.query[key] = real
    if number & 4 and isinstance(case.body, dict):
        for key in case.body:
            real = thing(key, number >> 3)
            if real is not None:
                case.body[key] = real


@schemathesis.check
def no_failure_of_the_server(context, response, case):
    """A status of 500 or above must be one that the contract demands."""
    if response.status_code < 500:
        return
    try:
        message = json.loads(response.content)["message"]
    except (ValueError, KeyError, TypeError):
        message = response.content.decode(errors="replace")
    for status, operation, text in DEMANDED:
        if (
            status == response.status_code
            and operation.fullmatch(case.operation.label)
            and text.fullmatch(message)
        ):
            return
    raise AssertionError(f"{response.status_code}, which nothing demands: {message}")


@schemathesis.check
def no_digest(context, response, case):
    """Nothing stored of a secret is ever shown, but in a backup, which is of what is stored."""
    if case.operation.label in ("GET /api/v2/backup/kv", "GET /api/v2/backup/metadata"):
        return
    for digest in (b"$argon2", b"$2a$", b"$influxdb2-", b"hashedToken"):
        if digest in response.content:
            raise AssertionError(f"the answer shows {digest.decode()}")
