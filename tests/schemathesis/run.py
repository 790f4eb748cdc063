"""Runs schemathesis on a scratch server, with every kind of caller.

    with-server sqlite -- python3 run.py --schemathesis PATH --url {url} --token {token}

PATH is the program; `.ci/run schemathesis` installs it. What runs is bounded by `--seconds`, and the
same for the same `--seed`. Ends with 0 if nothing was wrong.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSWORD = "correct horse battery"
SPARE = 8
CHECKS = (
    "status_code_conformance,content_type_conformance,response_schema_conformance,"
    "no_failure_of_the_server,no_digest"
)


class Server:
    def __init__(self, url, token):
        self.url, self.token = url, token

    def ask(self, method, path, body=None, **headers):
        headers = headers or {"Authorization": f"Token {self.token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.headers, json.loads(text) if text else None

    def make(self, path, body):
        return self.ask("POST", path, body)[1]


def allow(action, kind, org, thing=None):
    resource = {"type": kind, "orgID": org}
    if thing:
        resource["id"] = thing
    return {"action": action, "resource": resource}


def build(server):
    """Makes callers of every kind, and things that may be lost."""
    org = server.ask("GET", "/api/v2/orgs")[1]["orgs"][0]["id"]
    kinds = [kind for kind in server.ask("GET", "/api/v2/resources")[1] if kind != "instance"]
    user = server.make("/api/v2/users", {"name": "otto"})["id"]
    server.make(f"/api/v2/users/{user}/password", {"password": PASSWORD})
    server.make(f"/api/v2/orgs/{org}/owners", {"id": user})
    bucket = server.make("/api/v2/buckets", {"orgID": org, "name": "fuzzed"})["id"]
    read, write = (allow(action, "buckets", org, bucket) for action in ("read", "write"))

    def token(permissions, **more):
        body = {"orgID": org, "permissions": permissions, **more}
        return server.make("/api/v2/authorizations", body)

    everything = [allow(a, kind, org) for kind in kinds for a in ("read", "write") if kind != "orgs"]
    inactive = token([read], status="inactive")["token"]
    server.make("/private/legacy/authorizations", {
        "token": "sensor", "orgID": org, "permissions": [read, write],
    })
    found = server.ask("GET", "/private/legacy/authorizations?token=sensor")[1]
    v1 = found["authorizations"][0]["id"]
    server.make(f"/private/legacy/authorizations/{v1}/password", {"password": PASSWORD})
    basic = base64.b64encode(f"otto:{PASSWORD}".encode()).decode()
    cookie = server.ask("POST", "/api/v2/signin", Authorization=f"Basic {basic}")[0]["Set-Cookie"]
    sensor = base64.b64encode(f"sensor:{PASSWORD}".encode()).decode()
    # The operator does what all others may not, so most requests are the operator's.
    operator = {"Authorization": f"Token {server.token}"}
    callers = {
        "nobody": {},
        "inactive token": {"Authorization": f"Token {inactive}"},
        "reader": {"Authorization": f"Bearer {token([read])['token']}"},
        "writer": {"Authorization": f"Token {token([write])['token']}"},
        "all-access": {"Authorization": f"Token {token(everything)['token']}"},
        "1.x user": {"Authorization": f"Basic {sensor}"},
        "owner": {"Cookie": cookie.split(";")[0]},
        **{f"operator {number}": operator for number in range(1, 6)},
    }

    spare = range(SPARE)
    users = [server.make("/api/v2/users", {"name": f"user {n}"})["id"] for n in spare]
    orgs = [server.make("/api/v2/orgs", {"name": f"org {n}"})["id"] for n in spare]
    buckets = [
        server.make("/api/v2/buckets", {"orgID": orgs[n], "name": f"bucket {n}"})["id"]
        for n in spare
    ]
    labels = [
        server.make("/api/v2/labels", {"orgID": orgs[n], "name": f"label {n}"})["label"]["id"]
        for n in spare
    ]
    mappings = [
        server.make("/api/v2/dbrps", {
            "orgID": orgs[n], "bucketID": buckets[n], "database": "d", "retention_policy": "r",
        })["id"]
        for n in spare
    ]
    things = {
        "orgs": orgs, "orgID": [org, *orgs], "org": ["acme", "org 1"], "users": users,
        "user": ["user 1"], "userID": [user, *users], "buckets": [bucket, *buckets],
        "bucketID": [bucket, *buckets], "bucket": ["fuzzed", bucket], "db": ["fuzzed", "d"],
        "labels": labels, "labelID": labels, "dbrps": mappings,
        "authorizations": [token([read])["id"] for _ in spare],
        "q": ["SELECT * FROM m", "SHOW DATABASES", "DELETE FROM m"], "precision": ["ns", "s"],
    }
    return {"callers": callers, "things": things}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--schemathesis", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--seconds", default="45")
    parser.add_argument("--seed", default="1")
    given = parser.parse_args()
    world = build(Server(given.url, given.token))
    environment = {
        **os.environ,
        "INFLUXD_WORLD": json.dumps(world),
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        given.schemathesis, "run", f"{given.url}/api/v2/openapi.json",
        "--phases", "coverage,fuzzing", "--checks", CHECKS, "--max-time", given.seconds,
        "--seed", given.seed, "--continue-on-failure", "--no-shrink", "--warnings", "off",
        "--request-timeout", "30", "--suppress-health-check", "all",
    ]
    # It leaves folders where it runs.
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, env=environment, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
