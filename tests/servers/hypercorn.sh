#!/bin/bash
# apt: python3-hypercorn | workers by multiprocessing, asyncio
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -m hypercorn -w 1 -b $HOST:$PORT app_asgi:app
