#!/bin/bash
# apt: python3-tornado | one process, asyncio
. "$(dirname "$0")/common.sh"; cd "$HERE"; export DOCROOT
run /usr/bin/python3 -c "
import os, tornado.ioloop, tornado.web
class Files(tornado.web.RequestHandler):
    def get(self):
        path = os.path.join('$DOCROOT', os.path.basename(self.request.path))
        if not os.path.isfile(path):
            raise tornado.web.HTTPError(404)
        with open(path, 'rb') as f:
            self.write(f.read())
    def post(self):
        self.write(self.request.body)
tornado.web.Application([('.*', Files)]).listen($PORT, '$HOST', max_buffer_size=1 << 26)
tornado.ioloop.IOLoop.current().start()"
