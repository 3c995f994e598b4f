/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inetd PORT: accepts, and starts itself for each connection, which is descriptors 0 and 1 of the new
 * program. That one reads its request by stdio and answers "ok".
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int answer(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "\r\n") != 0)
		;
	printf("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) /* it ends when its client does */
		;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int listener, fd;

	if (argc < 2)
		return answer();
	listener = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = htons((unsigned short)atoi(argv[1]));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 64))
		return 1;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fork() == 0) {
			dup2(fd, 0);
			dup2(fd, 1);
			close(fd);
			close(listener);
			execl("/proc/self/exe", argv[0], (char *)NULL);
			_exit(127);
		}
		close(fd);
	}
}
