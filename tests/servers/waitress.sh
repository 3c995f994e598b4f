#!/bin/bash
# apt: python3-waitress | a poll loop reads, task threads write
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -m waitress --host $HOST --port $PORT app_wsgi:app
