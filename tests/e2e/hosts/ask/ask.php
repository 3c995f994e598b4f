<?php
// SPDX-License-Identifier: Apache-2.0
// ask.php curl|streams PORT N: N requests, every third a POST; prints the bodies of the answers.
[, $library, $port, $n] = $argv;
$curl = $library == 'curl' ? curl_init() : null;
for ($i = 0; $i < $n; $i++) {
	$url = "http://127.0.0.1:$port/$library$i?n=$i";
	$body = $i % 3 == 1 ? str_repeat('x', $i * 100) : null;
	if ($curl) {
		curl_reset($curl);
		curl_setopt_array($curl, [CURLOPT_URL => $url, CURLOPT_RETURNTRANSFER => true]);
		if ($body !== null)
			curl_setopt_array($curl, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => $body]);
		echo curl_exec($curl), "\n";
	} else {
		$how = $body === null ? [] : ['method' => 'POST', 'content' => $body, 'header' => 'Content-Type: text/plain'];
		echo file_get_contents($url, false, stream_context_create(['http' => $how])), "\n";
	}
}
