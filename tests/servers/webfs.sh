#!/bin/bash
# apt: webfs | one process, select loop, sendfile
. "$(dirname "$0")/common.sh"
run webfsd -F -i $HOST -p $PORT -r "$DOCROOT" -l /dev/null
