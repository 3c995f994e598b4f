#!/bin/bash
# apt: python3-cheroot | thread pool (CherryPy's server)
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -c "
from cheroot import wsgi
from app_wsgi import app
wsgi.Server(('$HOST', $PORT), app, numthreads=4).start()"
