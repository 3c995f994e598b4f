#!/bin/bash
# apt: thin | EventMachine, one thread
. "$(dirname "$0")/common.sh"; cd "$WORK"; export DOCROOT
run thin -a $HOST -p $PORT -R "$HERE/app.ru" -e production -q start
