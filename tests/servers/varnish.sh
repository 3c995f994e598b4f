#!/bin/bash
# apt: varnish (+python3 backend) | manager and child (closefrom), thread pools, proxy
. "$(dirname "$0")/common.sh"; backend
runfg varnishd -F -n "$WORK/n" -a $HOST:$PORT -b 127.0.0.1:$BACKEND_PORT -j none -p default_ttl=0 -p thread_pool_min=5
