// SPDX-License-Identifier: Apache-2.0
// Where messages end, in the eyes of node's own parser. Input and output as tests/tools/http1_boundaries.c has them, but
// that a line begins with the error's code or "-", and the offset at which it stopped.
'use strict';
const { HTTPParser } = require('_http_common');

function tell(role, bytes) {
  const parser = new HTTPParser();
  const messages = [];
  let at = 0, upgrade = false, code = '-';
  parser.initialize(role === 'q' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 1 << 20);
  parser[HTTPParser.kOnMessageBegin | 0] = () => messages.push([at, 0, 0, 0]);
  parser[HTTPParser.kOnHeaders | 0] = () => {};
  parser[HTTPParser.kOnHeadersComplete | 0] = (major, minor, headers, method, url, status, text, up) => {
    messages[messages.length - 1][1] = at + 1;
    upgrade = upgrade || up;
    return 0;
  };
  parser[HTTPParser.kOnBody | 0] = (b, offset, length) => {
    messages[messages.length - 1][3] += length === undefined ? b.length : length;
  };
  parser[HTTPParser.kOnMessageComplete | 0] = () => { messages[messages.length - 1][2] = at + 1; };
  for (; at < bytes.length && !upgrade; at++) {
    const result = parser.execute(bytes.subarray(at, at + 1));
    if (result instanceof Error) {
      code = result.code;
      break;
    }
  }
  const row = [code + '@' + at, upgrade ? 1 : 0];
  for (const m of messages) row.push(m.join(','));
  return row.join(' ');
}

const input = require('fs').readFileSync(0);
const out = [];
for (let i = 0; i < input.length;) {
  const n = input.readUInt32LE(i + 1);
  out.push(tell(String.fromCharCode(input[i]), input.subarray(i + 5, i + 5 + n)));
  i += 5 + n;
}
process.stdout.write(out.join('\n') + '\n');
