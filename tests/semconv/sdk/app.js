// SPDX-License-Identifier: Apache-2.0
// The application of tests/e2e/test_semconv.py for node; it knows nothing of tracing. app_asgi.py answers the same.
const http = require('http');

const routes = {
	'/users/42': [200, 'user 42\n'],
	'/moved': [302, ''],
	'/fail': [500, 'failed\n'],
	'/unavailable': [503, ''],
};

const server = http.createServer((request, response) => {
	const body = [];
	request.on('data', (chunk) => body.push(chunk));
	request.on('end', () => {
		const path = request.url.split('?')[0];
		const [status, text] = path === '/echo' ? [200, Buffer.concat(body)] : routes[path] || [404, 'no\n'];
		response.writeHead(status, { 'content-length': Buffer.byteLength(text), 'x-answer': 'yes' });
		response.end(request.method === 'HEAD' ? undefined : text);
	});
});

server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
