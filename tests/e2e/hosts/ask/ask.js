// SPDX-License-Identifier: Apache-2.0
// ask.js http|fetch PORT N: N requests at a time, every third a POST; prints the bodies of the answers.
const http = require('http');
const [library, port, n] = [process.argv[2], +process.argv[3], +process.argv[4]];
const agent = new http.Agent({keepAlive: true, maxSockets: 4});

function byHttp(path, method, body) {
	return new Promise((done, failed) => {
		const asked = http.request({port, host: '127.0.0.1', path, method, agent}, (answer) => {
			let text = '';
			answer.on('data', (data) => { text += data; });
			answer.on('end', () => done(text));
		});
		asked.on('error', failed);
		asked.end(body);
	});
}

async function byFetch(path, method, body) {
	return (await fetch(`http://127.0.0.1:${port}${path}`, {method, body})).text();
}

(async () => {
	const ask = library === 'fetch' ? byFetch : byHttp;
	const all = [];
	for (let i = 0; i < n; i++)
		all.push(i % 3 === 1 ? ask(`/${library}${i}?n=${i}`, 'POST', 'x'.repeat(i * 100)) : ask(`/${library}${i}?n=${i}`, 'GET'));
	for (const text of await Promise.all(all))
		console.log(text);
	agent.destroy();
})();
