// SPDX-License-Identifier: Apache-2.0
// A reverse proxy with a keep-alive agent: proxy.js PORT BACKEND
// /bare/... goes on without the context headers of the request.
const http = require('http');
const agent = new http.Agent({keepAlive: true, maxSockets: 50});

http.createServer((request, response) => {
	const headers = {...request.headers};
	if (request.url.startsWith('/bare'))
		delete headers.traceparent;
	const asked = http.request({port: +process.argv[3], host: '127.0.0.1', method: request.method, path: request.url,
		headers, agent}, (answer) => {
		response.writeHead(answer.statusCode, answer.headers);
		answer.pipe(response);
	});
	asked.on('error', (e) => { console.error(e); response.destroy(); });
	request.pipe(asked);
}).listen(+process.argv[2], '127.0.0.1');
