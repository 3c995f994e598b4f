/* SPDX-License-Identifier: Apache-2.0 */
/* A server that makes its system calls past libc, as Go programs do: raw_calls PORT. It answers "ok". */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "shim/sys.h"

int main(int argc, char **argv)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	long listener = sys3(SYS_socket, AF_INET, SOCK_STREAM, 0);
	char in[4096];

	at.sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "0"));
	if (sys3(SYS_bind, listener, &at, sizeof(at)) < 0 || sys2(SYS_listen, listener, 64) < 0)
		return 1;
	for (;;) {
		long fd = sys4(SYS_accept4, listener, 0, 0, 0);

		if (fd >= 0 && sys3(SYS_read, fd, in, sizeof(in)) > 0)
			sys3(SYS_write, fd, text, sizeof(text) - 1);
		sys1(SYS_close, fd);
	}
}
