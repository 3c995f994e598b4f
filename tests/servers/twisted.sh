#!/bin/bash
# apt: python3-twisted | one thread, its own reactor; pipelined responses in one send
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -c "
import os
from twisted.internet import reactor
from twisted.web import resource, server
class Files(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        path = os.path.join('$DOCROOT', os.path.basename(request.path.decode()))
        if not os.path.isfile(path):
            request.setResponseCode(404)
            return b''
        with open(path, 'rb') as f:
            return f.read()
    def render_POST(self, request):
        return request.content.read()
reactor.listenTCP($PORT, server.Site(Files()), interface='$HOST')
reactor.run()"
