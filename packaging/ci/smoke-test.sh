#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the server, asks it something, stops it. Replace both by your own; what matters is that the server has ended
# when this script ends. `btracectl run -- sh smoke-test.sh` traces it.
set -eu
port=${PORT:-8080}
python3 -m http.server --bind 127.0.0.1 "$port" >/dev/null 2>&1 &
server=$!
trap 'kill $server; wait $server || :' EXIT

for attempt in 1 2 3 4 5 6 7 8 9 10; do
	curl -fsS -o /dev/null "http://127.0.0.1:$port/" && break
	[ "$attempt" -lt 10 ] || exit 1
	sleep 0.5
done
curl -fsS -o /dev/null "http://127.0.0.1:$port/"
