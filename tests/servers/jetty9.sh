#!/bin/bash
# apt: jetty9 | Java, NIO selectors and a pool (default servlet; no POST echo)
. "$(dirname "$0")/common.sh"
mkdir -p "$WORK/base/webapps"
cat >"$WORK/base/webapps/root.xml" <<END
<?xml version="1.0"?><!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "http://www.eclipse.org/jetty/configure_9_3.dtd">
<Configure class="org.eclipse.jetty.server.handler.ContextHandler"><Set name="contextPath">/</Set>
<Set name="handler"><New class="org.eclipse.jetty.server.handler.ResourceHandler"><Set name="resourceBase">$DOCROOT</Set></New></Set></Configure>
END
cd "$WORK/base"
run java -Djava.io.tmpdir="$WORK" -Djetty.home=/usr/share/jetty9 -jar /usr/share/jetty9/start.jar jetty.base="$WORK/base" --module=http,deploy jetty.http.host=$HOST jetty.http.port=$PORT
