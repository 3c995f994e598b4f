#!/bin/bash
# apt: h2o | one process, 2 event loop threads
. "$(dirname "$0")/common.sh"; chmod 777 "$WORK"
cat >"$WORK/h2o.conf" <<END
num-threads: 2
pid-file: $WORK/pid
error-log: $WORK/error.log
hosts:
  default:
    listen: {host: $HOST, port: $PORT}
    paths:
      /: {file.dir: $DOCROOT}
END
run h2o -c "$WORK/h2o.conf"
