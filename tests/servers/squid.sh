#!/bin/bash
# apt: squid-openssl (+python3 backend) | one process (-N), accelerator; its default mode sheds LD_PRELOAD (AT_SECURE)
. "$(dirname "$0")/common.sh"; backend; chmod 777 "$WORK"
cat >"$WORK/squid.conf" <<END
http_port $HOST:$PORT accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent $BACKEND_PORT 0 no-query originserver name=b
acl all_of src all
http_access allow all_of
cache_peer_access b allow all_of
cache deny all
access_log none
cache_log $WORK/cache.log
pid_filename $WORK/pid
coredump_dir $WORK
shutdown_lifetime 0 seconds
END
runfg squid -N -f "$WORK/squid.conf"
