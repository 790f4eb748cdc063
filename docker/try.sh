#!/usr/bin/env bash
# Tries the compose file for real: builds, starts, writes, kills, starts again, reads.
#
# Images come from their registry where it can be reached. Where not, they are made here, with
# debootstrap, from Debian's packages and the Rust toolchain of this machine. Where no container
# engine can run, this says so and fails.
set -euo pipefail
cd "$(dirname "$0")"

cache="${XDG_CACHE_HOME:-$HOME/.cache}/influxd-rs"
work=$(mktemp -d)
engine_pid=""
export INFLUXD_PORT="${INFLUXD_PORT:-18086}"
export COMPOSE_PROJECT_NAME="influxd-try-$$"
POSTGRES_PASSWORD=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')
TOKEN=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
export POSTGRES_PASSWORD

say() { echo "-- $*"; }
give_up() {
  echo "docker/try.sh: $*" >&2
  exit 1
}

cleanup() {
  local status=$?
  if [ "$status" != 0 ] && [ -n "${compose[*]:-}" ]; then
    "${compose[@]}" logs --tail 40 >&2 || true
  fi
  [ -z "${compose[*]:-}" ] || "${compose[@]}" down --volumes --timeout 5 >/dev/null 2>&1 || true
  [ -z "$engine_pid" ] || { kill "$engine_pid" && wait "$engine_pid"; } 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT

need() {
  local program=$1 package=$2
  command -v "$program" >/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Debian's package $package"
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package" >/dev/null ||
      give_up "the package $package cannot be installed"
  else
    give_up "$program is missing: install the package $package"
  fi
}

start_engine() {
  need docker docker.io
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  else
    need docker-compose docker-compose
    compose=(docker-compose)
  fi
  docker info >/dev/null 2>&1 && return 0
  [ "$(id -u)" = 0 ] || give_up "no container engine runs here, and only root could start one"
  need dockerd docker.io
  need iptables iptables
  say "starting dockerd"
  mkdir -p "$cache/docker"
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --host "$DOCKER_HOST" --data-root "$cache/docker" --exec-root "$work/exec" \
    --pidfile "$work/docker.pid" >"$work/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return 0
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 5 "$work/dockerd.log" >&2
  give_up "no container engine can run here"
}

# A small Debian with further packages, in a folder.
bootstrap() {
  local folder=$1 packages=$2 mirror
  need debootstrap debootstrap
  mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
    head -n 1 | tr -d ' ' || true)
  debootstrap --variant=minbase ${packages:+--include="$packages"} bookworm "$folder" \
    "${mirror:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 || {
    tail -n 5 "$work/debootstrap.log" >&2
    give_up "debootstrap failed"
  }
  rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
}

import() {
  local folder=$1 image=$2
  shift 2
  tar -C "$folder" -c . | docker import "$@" - "$image" >/dev/null
  rm -rf "$folder"
}

there() { docker image inspect "$1" >/dev/null 2>&1; }

# Where the registry answers, the images that the files name are taken.
from_registry() { timeout 60 docker pull -q "$1" >/dev/null 2>&1; }

make_debian() {
  say "making a Debian image"
  bootstrap "$work/debian" ""
  import "$work/debian" "$DEBIAN_IMAGE"
}

make_rust() {
  say "making a Rust image from the toolchain of this machine"
  local toolchain home="${CARGO_HOME:-$HOME/.cargo}"
  toolchain=$(rustc --print sysroot)
  # What the build will want is fetched here, by way of this machine's settings.
  (cd .. && cargo fetch --locked -q)
  bootstrap "$work/rust" "gcc,libc6-dev,ca-certificates"
  mkdir -p "$work/rust/usr/local/cargo/registry" "$work/rust/opt/rust"
  cp -aL "$toolchain/bin" "$toolchain/lib" "$work/rust/opt/rust/"
  cp -a "$home/registry/index" "$home/registry/cache" "$work/rust/usr/local/cargo/registry/"
  import "$work/rust" "$RUST_IMAGE" \
    -c 'ENV PATH=/opt/rust/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' \
    -c 'ENV CARGO_HOME=/usr/local/cargo' -c 'ENV CARGO_NET_OFFLINE=true'
}

# Does what the official image does with the variables of the compose file.
make_postgres() {
  say "making a PostgreSQL image"
  bootstrap "$work/postgres" "postgresql"
  cat >"$work/postgres/entrypoint" <<'ENTRYPOINT'
#!/bin/bash
set -euo pipefail
export PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") \
    --auth-host=scram-sha-256 --auth-local=trust -E UTF8 --locale=C.UTF-8 "$PGDATA"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -k /tmp" -w start
  createdb -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -k /tmp
ENTRYPOINT
  chmod 755 "$work/postgres/entrypoint"
  ln -s /usr/lib/postgresql/*/bin/pg_isready "$work/postgres/usr/local/bin/pg_isready"
  import "$work/postgres" "$POSTGRES_IMAGE" -c 'ENTRYPOINT ["/entrypoint"]'
}

image() {
  local variable=$1 official=$2 ours=$3 make=$4
  if [ -n "${!variable:-}" ]; then
    return 0
  elif there "$ours"; then
    export "$variable=$ours"
  elif there "$official" || from_registry "$official"; then
    export "$variable=$official"
  else
    export "$variable=$ours"
    "$make"
  fi
}

wait_for() {
  local what=$1
  shift
  for _ in $(seq 300); do
    "$@" && return 0
    sleep 0.2
  done
  give_up "$what did not happen within a minute"
}

url="http://127.0.0.1:$INFLUXD_PORT"
healthy() { curl -fsS "$url/health" >/dev/null 2>&1; }
write() {
  curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Token $TOKEN" --data-binary "$1" \
    "$url/api/v2/write?org=home&bucket=climate"
}
count() {
  curl -sS -G -H "Authorization: Token $TOKEN" "$url/query?db=climate" \
    --data-urlencode "q=SELECT count(f) FROM m" | sed -n 's/.*"values":\[\[[^,]*,\([0-9]*\)\]\].*/\1/p'
}
expect() {
  [ "$2" = "$3" ] || give_up "$1: found '$2', want '$3'"
}

need curl curl
start_engine
compose+=(-f compose.yaml)
image DEBIAN_IMAGE debian:bookworm-slim influxd-try-debian make_debian
image POSTGRES_IMAGE postgres:17-bookworm influxd-try-postgres make_postgres
image RUST_IMAGE rust:1.95-slim-bookworm influxd-try-rust make_rust

say "building"
"${compose[@]}" build influxd
say "starting"
"${compose[@]}" up -d
wait_for "the start" healthy

say "setting up and writing"
expect "set-up" "$(curl -sS -o /dev/null -w '%{http_code}' "$url/api/v2/setup" -d "{
  \"username\":\"me\",\"password\":\"a long password\",\"org\":\"home\",\"bucket\":\"climate\",\"token\":\"$TOKEN\"}")" 201
expect "a write" "$(write 'm f=1 1')" 204
expect "a write" "$(write 'm f=2 2')" 204

say "killing influxd"
"${compose[@]}" kill -s KILL influxd
"${compose[@]}" up -d
wait_for "the start after a kill" healthy
expect "points after the kill" "$(count)" 2

say "killing PostgreSQL under a running influxd"
"${compose[@]}" kill -s KILL postgres
expect "a write without a database" "$(write 'm f=3 3')" 503
"${compose[@]}" up -d postgres
wait_for "recovery" healthy
expect "a write after recovery" "$(write 'm f=4 4')" 204
expect "points after recovery" "$(count)" 3

say "down and up again, volumes kept"
"${compose[@]}" down --timeout 10
"${compose[@]}" up -d
wait_for "the start" healthy
expect "points after down and up" "$(count)" 3

if "${compose[@]}" logs --no-color 2>/dev/null | grep -qF -e "$POSTGRES_PASSWORD" -e "$TOKEN"; then
  give_up "a secret is in the containers' logs"
fi
say "everything works"
