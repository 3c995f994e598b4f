#!/bin/bash
# apt: tinyproxy-bin (+python3 backend) | reverse proxy, thread per connection, MSG_PEEK for every header line
. "$(dirname "$0")/common.sh"; backend
cat >"$WORK/tinyproxy.conf" <<END
Port $PORT
Listen $HOST
Timeout 20
MaxClients 20
ReverseOnly Yes
ReversePath "/" "http://127.0.0.1:$BACKEND_PORT/"
LogLevel Critical
END
runfg tinyproxy -d -c "$WORK/tinyproxy.conf"
