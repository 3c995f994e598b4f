// SPDX-License-Identifier: Apache-2.0
// An HTTP server and its clients in one process: self.js. Prints what each of them saw, and at the end how many
// requests were served and asked for. The same is printed in each run.
const crypto = require('crypto'), fs = require('fs'), http = require('http'), net = require('net');

const lines = [];
const say = (...what) => lines.push(what.join(' '));
const hash = (data) => crypto.createHash('sha256').update(data).digest('hex').slice(0, 12) + '/' + data.length;
const bytes = (n) => Buffer.alloc(n, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n');
let served = 0, asked = 0, closed = 0, port;

const routes = {
  '/echo': (q, r) => q.pipe(r),
  '/chunks': (q, r) => {
    r.writeHead(200, q.method === 'HEAD' ? {} : { Trailer: 'X-End' });
    for (let i = 0; i < 5; i++) r.write(bytes(100 * i + 1));
    r.addTrailers({ 'X-End': 'yes' });
    r.end();
  },
  '/hints': (q, r) => { r.writeEarlyHints({ link: '</a>; rel=preload' }); r.end('hinted'); },
  '/204': (q, r) => { r.writeHead(204); r.end(); },
  '/304': (q, r) => { r.writeHead(304, { ETag: '"a"' }); r.end(); },
  '/endless': (q, r) => { r.on('close', () => closed++); r.writeHead(200, { 'Content-Length': 1e9 }); r.write('begun'); },
  '/never': (q, r) => { r.on('close', () => closed++); },
  '/close': (q, r) => { r.setHeader('Connection', 'close'); r.end('last'); },
};

function serve(q, r) {
  const length = q.url.match(/^\/length\/(\d+)/);
  served++;
  r.sendDate = false;
  if (length) {
    r.setHeader('Content-Length', length[1]);
    r.end(bytes(+length[1]));
  } else {
    (routes[q.url.split('?')[0]] || ((q, r) => { r.statusCode = 404; r.end(); }))(q, r);
  }
}

const server = http.createServer(serve);
server.on('checkContinue', (q, r) => {
  if (q.url === '/refused') {
    served++;
    r.sendDate = false;
    r.writeHead(417);
    r.end();
  } else {
    r.writeContinue();
    serve(q, r);
  }
});
server.on('upgrade', (q, s) => {
  served++;
  s.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  s.pipe(s);
});
server.on('clientError', (e, s) => { say('client error', e.code); s.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'); });

// One request to its end; what came of it, as text.
function ask(path, options = {}, body) {
  asked++;
  return new Promise((done) => {
    const events = [];
    const q = http.request({ port, path, ...options });
    q.on('continue', () => { events.push('continue'); q.end(body); });
    q.on('information', (i) => events.push(i.statusCode));
    q.on('timeout', () => { events.push('timeout'); q.destroy(); });
    q.on('error', (e) => done([...events, e.code].join(' ')));
    q.on('upgrade', (r, s, head) => {
      let got = head;
      s.on('data', (d) => { got = Buffer.concat([got, d]); if (got.length >= 100000) s.end(); });
      s.on('end', () => done('upgraded ' + hash(got)));
      s.write(bytes(100000));
    });
    q.on('response', (r) => {
      const parts = [];
      if (options.abort) { r.on('error', () => 0); q.destroy(); r.on('close', () => done('aborted ' + r.statusCode)); return; }
      r.on('data', (d) => parts.push(d));
      r.on('end', () => done([...events, r.statusCode, r.headers.connection, r.headers['content-length'], hash(Buffer.concat(parts)),
        JSON.stringify(r.trailers)].join(' ')));
    });
    if (!(options.headers && options.headers.Expect)) q.end(body);
    else q.flushHeaders();
  });
}

// Bytes as they are; all that comes until the server closes.
function raw(text, requests) {
  asked += requests;
  return new Promise((done) => {
    const parts = [], s = net.connect(port, '127.0.0.1', () => s.write(text));
    s.on('data', (d) => parts.push(d));
    s.on('end', () => s.end());
    s.on('close', () => done(Buffer.concat(parts)));
  });
}

async function main() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
  const kept = { agent, host: '127.0.0.1' };
  for (const path of ['/length/0', '/length/1000', '/chunks', '/hints', '/204', '/304', '/close', '/nothing', '/length/3000000'])
    for (const method of ['GET', 'HEAD'])
      say(method, path, await ask(path, { ...kept, method }));
  say('many', (await Promise.all([...Array(40).keys()].map((i) => ask('/length/' + i * 977, kept)))).join(', '));
  for (const n of [0, 1, 70000, 3000000])
    say('posted', await ask('/echo', { ...kept, method: 'POST' }, bytes(n)), await ask('/echo', { ...kept, method: 'PUT',
      headers: { 'Content-Length': n } }, bytes(n)));
  say('expect', await ask('/echo', { method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 5000 } }, bytes(5000)));
  say('expect', await ask('/refused', { method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 0 } }));
  say('upgrade', await ask('/up', { headers: { Connection: 'Upgrade', Upgrade: 'echo' } }));
  say('abort', await ask('/endless', { abort: true }));
  say('timeout', await ask('/never', { timeout: 300 }));
  const get = (p, more = '') => 'GET ' + p + ' HTTP/1.1\r\nHost: a\r\n' + more + '\r\n';
  say('pipelined', hash(await raw(get('/length/10') + get('/chunks') + get('/length/50000') + get('/204') +
    get('/close', 'Connection: close\r\n'), 5)));
  say('1.0', hash(await raw('GET /length/100 HTTP/1.0\r\n\r\n', 1)));
  say('junk', hash(await raw('\x16\x03\x01 no HTTP\r\n\r\n', 0)));
  say('byte by byte', hash(await slowly(get('/length/77', 'Connection: close\r\n'))));
  agent.destroy();
  while (closed < 2) await new Promise((r) => setImmediate(r));
  server.close(() => {
    say('descriptors', fs.readdirSync('/proc/self/fd').length);
    say('served', served, 'asked', asked);
    fs.writeSync(1, lines.join('\n') + '\n');
  });
}

function slowly(text) {
  asked++;
  return new Promise((done) => {
    const parts = [], s = net.connect(port, '127.0.0.1');
    const next = (i) => (i < text.length ? s.write(text[i], () => setImmediate(next, i + 1)) : 0);
    s.setNoDelay();
    s.on('connect', () => next(0));
    s.on('data', (d) => parts.push(d));
    s.on('close', () => done(Buffer.concat(parts)));
  });
}

server.listen(0, '127.0.0.1', () => { port = server.address().port; main(); });
