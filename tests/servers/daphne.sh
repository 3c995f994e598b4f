#!/bin/bash
# apt: python3-daphne | twisted; pipelined responses in one send
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -m daphne -b $HOST -p $PORT -v 0 app_asgi:app
