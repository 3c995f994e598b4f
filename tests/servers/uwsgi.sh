#!/bin/bash
# apt: uwsgi-core uwsgi-plugin-python3 | master and workers that accept; no keep-alive
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run uwsgi --plugin python3 --http-socket $HOST:$PORT --master --die-on-term --workers 2 --module app_wsgi:app --disable-logging
