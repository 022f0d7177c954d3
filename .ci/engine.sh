#!/bin/bash
# Makes a Docker Engine answer on this machine: installs Debian's where there is none, starts it where none runs.
# An engine that answers is left alone.
set -euo pipefail

answers() { docker version >/dev/null 2>&1; }

answers && exit 0
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
  echo "no Docker Engine: installing docker.io" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
  # The package starts it where there is an init system.
  for _ in $(seq 10); do
    answers && exit 0
    sleep 0.5
  done
fi

# A killed engine leaves pid files beside which the next one refuses to start, though the process is gone, a zombie,
# or another program by now.
running=
for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
  [ -e "$file" ] || continue
  status=$(awk '/^(Name|State):/ {print $2}' "/proc/$(cat "$file")/status" 2>/dev/null | xargs || true)
  case $status in
    'dockerd '[!Z]) running=1 ;;
    'containerd '[!Z]) ;;
    *) rm -f "$file" ;;
  esac
done

log=${TMPDIR:-/tmp}/dockerd.log
if [ -z "$running" ]; then
  echo "starting the Docker Engine" >&2
  # Without systemd, cgroups are made directly. A session of its own, because it must outlive this shell.
  options=()
  [ -d /run/systemd/system ] || options=(--exec-opt native.cgroupdriver=cgroupfs)
  setsid dockerd "${options[@]}" >"$log" 2>&1 </dev/null &
fi
for _ in $(seq 120); do
  answers && exit 0
  sleep 0.5
done
echo "the Docker Engine does not answer; its log ends:" >&2
tail -20 "$log" >&2 || true
exit 1
