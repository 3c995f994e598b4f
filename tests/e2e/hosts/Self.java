// SPDX-License-Identifier: Apache-2.0
// An HTTP server and its client in one process: java Self.java. Prints what the client saw, and at the end how many
// requests were served and asked for. The same is printed in each run.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

class Self {
	static final AtomicInteger served = new AtomicInteger();
	static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
	static int asked;
	static String base;

	static byte[] bytes(int n) {
		byte[] text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n".getBytes(), out = new byte[n];
		for (int i = 0; i < n; i++)
			out[i] = text[i % text.length];
		return out;
	}

	// /length/N, /chunks/N, /echo, /status/N
	static void serve(HttpExchange x) throws java.io.IOException {
		String[] part = x.getRequestURI().getPath().split("/");
		byte[] body = x.getRequestBody().readAllBytes();
		int n = part.length > 2 ? Integer.parseInt(part[2]) : body.length;
		served.incrementAndGet();
		switch (part[1]) {
		case "echo": break;
		case "status": x.sendResponseHeaders(n, -1); x.close(); return;
		default: body = bytes(n);
		}
		if (x.getRequestMethod().equals("HEAD")) {
			x.sendResponseHeaders(200, -1);
		} else {
			x.sendResponseHeaders(200, part[1].equals("chunks") ? 0 : n == 0 ? -1 : n);
			try (OutputStream out = x.getResponseBody()) {
				if (n > 0)
					out.write(body);
			}
		}
		x.close();
	}

	static HttpRequest.Builder to(String path) {
		asked++;
		return HttpRequest.newBuilder(URI.create(base + path));
	}

	static String text(HttpResponse<byte[]> r) {
		return r.request().method() + " " + r.uri().getPath() + " " + r.statusCode() + " " + r.body().length + " " +
			Arrays.hashCode(r.body()) + " " + r.headers().firstValue("content-length").orElse("-");
	}

	static void show(HttpRequest.Builder request) throws Exception {
		System.out.println(text(client.send(request.build(), BodyHandlers.ofByteArray())));
	}

	static void raw(int port, String said, int requests) throws Exception {
		asked += requests;
		try (Socket s = new Socket(InetAddress.getLoopbackAddress(), port)) {
			s.getOutputStream().write(said.getBytes(StandardCharsets.US_ASCII));
			s.shutdownOutput();
			InputStream in = s.getInputStream();
			String got = new String(in.readAllBytes(), StandardCharsets.US_ASCII).replaceAll("Date: [^\r]*\r\n", "");
			System.out.println("raw " + got.length() + " " + got.hashCode());
		}
	}

	public static void main(String[] args) throws Exception {
		HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		server.createContext("/", Self::serve);
		server.setExecutor(Executors.newFixedThreadPool(4));
		server.start();
		int port = server.getAddress().getPort();
		base = "http://127.0.0.1:" + port;
		for (String path : new String[] {"/length/0", "/length/1000", "/chunks/3000", "/length/3000000", "/status/204", "/status/404"})
			for (String method : new String[] {"GET", "HEAD", "DELETE"})
				show(to(path).method(method, BodyPublishers.noBody()));
		for (int n : new int[] {0, 1, 70000, 3000000}) {
			show(to("/echo").POST(BodyPublishers.ofByteArray(bytes(n))));
			show(to("/echo").PUT(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(bytes(n)))));
		}
		show(to("/echo").POST(BodyPublishers.ofString("expected")).expectContinue(true));
		show(to("/length/10").version(HttpClient.Version.HTTP_2)); // offers an upgrade, which is not taken
		List<CompletableFuture<String>> many = new ArrayList<>();
		for (int i = 0; i < 50; i++)
			many.add(client.sendAsync(to("/length/" + i * 977).build(), BodyHandlers.ofByteArray()).thenApply(Self::text));
		for (CompletableFuture<String> one : many)
			System.out.println(one.get());
		String get = "GET /length/20 HTTP/1.1\r\nHost: a\r\n\r\n";
		raw(port, get + get + get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"), 3);
		raw(port, "GET /length/30 HTTP/1.0\r\n\r\n", 1);
		server.stop(0);
		System.out.println("served " + served + " asked " + asked);
		System.exit(7);
	}
}
