// SPDX-License-Identifier: Apache-2.0
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** java Ask.java HttpClient|HttpURLConnection PORT N: N requests, every third a POST; prints the bodies of the answers. */
class Ask {
	static String connection(URI uri, byte[] body) throws Exception {
		HttpURLConnection c = (HttpURLConnection) uri.toURL().openConnection();
		if (body != null) {
			c.setDoOutput(true);
			c.getOutputStream().write(body);
		}
		try (InputStream in = c.getInputStream()) {
			return new String(in.readAllBytes());
		}
	}

	public static void main(String[] args) throws Exception {
		HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
		for (int i = 0; i < Integer.parseInt(args[2]); i++) {
			URI uri = URI.create("http://127.0.0.1:" + args[1] + "/" + args[0] + i + "?n=" + i);
			byte[] body = i % 3 == 1 ? "x".repeat(i * 100).getBytes() : null;
			HttpRequest.Builder request = HttpRequest.newBuilder(uri);
			if (body != null)
				request.POST(HttpRequest.BodyPublishers.ofByteArray(body));
			System.out.println(args[0].equals("HttpClient")
				? client.send(request.build(), HttpResponse.BodyHandlers.ofString()).body() : connection(uri, body));
		}
	}
}
