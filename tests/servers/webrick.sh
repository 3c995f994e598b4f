#!/bin/bash
# apt: ruby-webrick | thread per connection
. "$(dirname "$0")/common.sh"
cat >"$WORK/s.rb" <<'END'
require 'webrick'
host, port, root = ARGV
s = WEBrick::HTTPServer.new(BindAddress: host, Port: port.to_i, DocumentRoot: root, AccessLog: [],
                            Logger: WEBrick::Log.new(nil, WEBrick::Log::FATAL))
s.mount_proc('/echo') { |q, r| r.body = q.body || '' }
trap('TERM') { s.shutdown }
s.start
END
run ruby "$WORK/s.rb" $HOST $PORT "$DOCROOT"
