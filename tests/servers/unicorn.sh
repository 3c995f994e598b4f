#!/bin/bash
# apt: unicorn | prefork, no keep-alive
. "$(dirname "$0")/common.sh"; cd "$WORK"; export DOCROOT
printf "worker_processes 2\n" >"$WORK/unicorn.rb"
run unicorn -c "$WORK/unicorn.rb" -l $HOST:$PORT -E none "$HERE/app.ru"
