#!/bin/bash
# apt: python3-flask | werkzeug's development server, thread per connection, Connection: close always
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -c "
from werkzeug.serving import run_simple
from app_wsgi import app
run_simple('$HOST', $PORT, app, threaded=True)"
