#!/usr/bin/env bash
# Does a gateway that is logged in listen there? Shakes hands as the TWS API does, and takes no
# client id. Usage: gateway_health.sh [port] [seconds]
set -euo pipefail
port=${1:-4002} wait_s=${2:-5}
fail() { echo "gateway on port ${port}: $1" >&2; exit 1; }

{ exec 3<>"/dev/tcp/127.0.0.1/${port}"; } 2>/dev/null || fail 'nobody listens'
printf 'API\0\0\0\0\x09v157..178' >&3
# The answer is one frame: its length in four bytes, then version and time, each ended by a zero.
read -r _ _ high low < <(timeout "$wait_s" head -c 4 <&3 2>/dev/null | od -An -tu1) || fail 'no answer'
[[ -n ${low:-} ]] || fail 'no answer'
mapfile -t answer < <(timeout "$wait_s" head -c "$((high * 256 + low))" <&3 2>/dev/null | tr '\0' '\n')
[[ ${#answer[@]} -eq 2 && ${answer[0]} =~ ^[0-9]+$ ]] || fail 'no TWS API'
echo "gateway on port ${port}: server version ${answer[0]}, ${answer[1]}"
