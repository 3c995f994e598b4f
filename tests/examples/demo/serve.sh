#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The two servers of the demo: gunicorn with app.py, nginx in front of it. Writes nginx's port to $WORK/port when both
# listen; ends both on SIGTERM. Knows nothing of tracing.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
ports=$(/usr/bin/python3 -c '
import socket
held = [socket.socket() for _ in range(2)]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held))')
front=${ports% *} back=${ports#* }

listens() # a connection without a request is no span
{
	/usr/bin/python3 -c '
import socket, sys, time
for _ in range(400):
    if socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0:
        sys.exit(0)
    time.sleep(0.025)
sys.exit(1)' "$1"
}

sed -e "s|@WORK@|$WORK|; s|@FRONT@|$front|; s|@BACK@|$back|; s|@USER@|$(id -un)|" "$EXAMPLES/nginx.conf" >"$WORK/nginx.conf"

gunicorn --chdir "$EXAMPLES" -b "127.0.0.1:$back" -w 2 --log-level warning app:app &
app=$!
trap 'kill $app 2>/dev/null; wait' TERM INT HUP EXIT
listens "$back"
nginx -c "$WORK/nginx.conf" -g 'daemon off;' &
proxy=$!
trap 'kill $proxy $app 2>/dev/null; wait' TERM INT HUP EXIT
listens "$front"
echo "$front" >"$WORK/port.new"
mv "$WORK/port.new" "$WORK/port"
wait
