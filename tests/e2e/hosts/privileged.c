/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that may be set-uid or have capabilities: PORT. It answers each connection's first request with
 * what it is: "secure S uid E of R, library L" - AT_SECURE, effective and real uid, whether libbtrace is in
 * its memory.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

static int library_is_mapped(void)
{
	char line[4096];
	FILE *f = fopen("/proc/self/maps", "r");
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, "/libbtrace.so") != NULL;
	if (f)
		fclose(f);
	return found;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0), c;
	char request[4096], body[128], answer[256];

	if (argc < 2)
		return 2;
	address.sin_port = htons((unsigned short)atoi(argv[1]));
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&address, sizeof(address)) || listen(s, 8))
		return 1;
	while ((c = accept(s, NULL, NULL)) >= 0) {
		if (recv(c, request, sizeof(request), 0) > 0) {
			snprintf(body, sizeof(body), "secure %lu uid %u of %u, library %d",
				 getauxval(AT_SECURE), geteuid(), getuid(), library_is_mapped());
			snprintf(answer, sizeof(answer),
				 "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
				 strlen(body), body);
			(void)!send(c, answer, strlen(answer), 0);
		}
		close(c);
	}
	return 0;
}
