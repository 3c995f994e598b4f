// SPDX-License-Identifier: Apache-2.0
// Works on after its answers: later.js PORT BACKEND
// /ask/... is answered at once, and the backend asked for the same when a socket of the agent is free; /wait/... is
// answered after a while and asks nobody.
const http = require('http');
const agent = new http.Agent({keepAlive: true, maxSockets: 2});

http.createServer((request, response) => {
	if (request.url.startsWith('/wait'))
		return setTimeout(() => response.end('waited'), 100);
	const asked = http.get({port: +process.argv[3], host: '127.0.0.1', path: request.url.replace('ask', 'slow/ask'), agent},
		(answer) => answer.resume());
	asked.on('error', console.error);
	setImmediate(() => response.end('at once'));
}).listen(+process.argv[2], '127.0.0.1');
