/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that does every call of witness.def with every descriptor of `places` and prints what came of
 * it: witness [HEADER...]. What it prints must be the same, to the last byte, whoever is preloaded. With
 * names of headers it begins when it sees the first of them in what it sends, and leaves them out where it
 * prints what the other end got.
 *
 * The other end of each connection is made by bare system calls, so that nobody sees its bytes but the
 * kernel.
 */
#define _GNU_SOURCE
#include "witness_places.h"

#include "witness_calls.h"

/* Takes lines out of what came. */
static size_t without(const char *header, char *p, size_t n)
{
	char *at, *end;

	p[n] = 0;
	for (at = p; (at = strcasestr(at, header)); at++)
		if (at > p && at[-1] == '\n' && at[strlen(header)] == ':' && (end = strstr(at, "\r\n"))) {
			memmove(at, end + 2, n + 1 - (size_t)(end + 2 - p));
			n -= (size_t)(end + 2 - at--);
		}
	return n;
}

/* All that the other end gets, to the end. */
static void show_peer(int fd)
{
	static char got[8 << 20];
	size_t have = 0;
	long n;

	sys2(SYS_shutdown, fd, SHUT_WR);
	close_range(3, LISTENER - 1, 0);
	do {
		struct pollfd p = { .fd = PEER, .events = POLLIN };

		if (poll(&p, 1, 20000) != 1)
			must(-1, "the other end sees no end");
		n = sys3(SYS_read, PEER, got + have, sizeof(got) - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	for (char **header = headers; *header && have < 8192; header++)
		have = without(*header, got, have);
	if (have < 4096)
		printf(" peer %zu %08x", have, hash(got, have));
	printf(" %ld%s", n,
	       have >= strlen(RESPONSE) && !memcmp(got, RESPONSE, strlen(RESPONSE)) ? " answered" : "");
}

static void check(size_t place, size_t call)
{
	int fd, next;
	long result;

	number = place * (sizeof(calls) / sizeof(*calls)) + call;

	keep_at(open("/dev/null", O_RDWR), PEER);
	fd = places[place].make();
	if (places[place].text)
		with(fd, places[place].text);
	if (places[place].then)
		fd = places[place].then(fd);
	memset(in, 'e', sizeof(in));
	memset(more, 'E', sizeof(more));
	memset(page, 'p', 4096);
	pipes = others = 0;
	printf("/%04zu %s: %s: ", number, places[place].name, calls[call].name);
	errno = 7777;
	result = calls[call].make(fd);
	printf("%ld, errno %d", result, errno);
	if (((struct sockaddr *)more)->sa_family == AF_INET && memcmp(more + 2, "EE", 2) != 0)
		memset(more + 2, 0, 2); /* a port, which is another one each time */
	next = open("/dev/null", O_RDONLY);
	printf(", next %d, SIGPIPE %d, others %d, in %08x %08x %08x", next, pipes, others,
	       hash(in, sizeof(in)), hash(more, sizeof(more)), hash(page, 4096));
	show_peer(fd);
	putchar('\n');
	while (sys4(SYS_fcntl, PIPE_OUT, F_SETFL, O_NONBLOCK, 0),
	       sys3(SYS_read, PIPE_OUT, in, sizeof(in)) > 0)
		;
}

/* Blocking calls that a signal ends. */
static void interrupted(void)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct timeval short_time = { 0, 20000 };
	int server, client;

	for (int way = 0; way < 6; way++) {
		server = tcp_server();
		fcntl(server, F_SETFL, 0);
		setitimer(ITIMER_REAL, &often, NULL);
		errno = 7777;
		printf("interrupted: %ld",
		       way == 0   ? (long)read(server, in, 10)
		       : way == 1 ? recv(server, in, 10, 0)
		       : way == 2 ? recvmsg(server, MESSAGE(.msg_iov = IOV({ in, 10 }), .msg_iovlen = 1), 0)
		       : way == 3 ? readv(server, IOV({ in, 10 }), 1)
		       : way == 4 ? accept(LISTENER, NULL, NULL)
				  : syscall(SYS_read, server, in, 10));
		printf(", errno %d\n", errno);
		setitimer(ITIMER_REAL, &never, NULL);
		close(server);
	}
	for (int way = 0; way < 2; way++) {
		server = full_server();
		fcntl(server, F_SETFL, 0);
		setitimer(ITIMER_REAL, &often, NULL);
		errno = 7777;
		printf("interrupted: %ld", (long)(way ? send(server, GET, 10, 0) : write(server, GET, 10)));
		printf(", errno %d\n", errno);
		setitimer(ITIMER_REAL, &never, NULL);
		close(server);
	}
	client = asked(tcp_client());
	fcntl(client, F_SETFL, 0);
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time));
	errno = 7777;
	printf("timed out: %ld", (long)recv(client, in, 10, 0));
	printf(", errno %d\n", errno);
	close(client);
}

static void show_file(const char *name)
{
	char line[4096];
	FILE *f = fopen(name, "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(name, "/proc/self/status", 17) != 0 ||
		    (!strncmp(line, "Sig", 3) && strncmp(line, "SigQ", 4) != 0) || !strncmp(line, "Shd", 3) ||
		    !strncmp(line, "Umask", 5) || !strncmp(line, "Threads", 7) || !strncmp(line, "Cap", 3) ||
		    !strncmp(line, "Seccomp", 7) || !strncmp(line, "NoNewPrivs", 10) ||
		    !strncmp(line, "CoreDumping", 11))
			printf("%s: %s", name, line);
	if (f)
		fclose(f);
}

extern char **environ;

/* What a program can see of itself. */
static void show_self(void)
{
	char name[64], target[256];

	show_file("/proc/self/status");
	show_file("/proc/self/limits");
	show_file("/proc/thread-self/children");
	show_file("/proc/self/oom_score_adj");
	show_file("/proc/self/timerslack_ns");
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "LD_PRELOAD=", 11) != 0 && strncmp(*e, "BTRACE_", 7) != 0)
			printf("environ: %s\n", *e);
	for (int fd = 0; fd < 2000; fd++) {
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n = readlink(name, target, sizeof(target) - 1);
		if (n > 0) {
			target[n] = 0;
			target[strcspn(target, "[")] = 0; /* inode numbers */
			printf("%d: %s, flags %d %x\n", fd, target, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
		}
	}
	errno = 0;
	printf("a child: %d", waitpid(-1, NULL, WNOHANG | __WALL));
	printf(", errno %d\n", errno);
}

static void await(const char *header)
{
	for (int i = 0; i < 2000; i++) {
		int fd = asked(tcp_client());
		long n = sys3(SYS_read, until(PEER, POLLIN), in, sizeof(in) - 1);

		close(fd);
		if (n > 0 && without(header, in, (size_t)n) != (size_t)n)
			return;
		poll(NULL, 0, 10);
	}
	must(-1, "no header");
}

static void set_up(void)
{
	static const int seen[] = { SIGPIPE, SIGCHLD, SIGALRM, SIGURG, SIGIO, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = on_signal };
	socklen_t length = sizeof(tcp);
	int fds[2], fd;

	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++)
		sigaction(seen[i], &action, NULL);
	snprintf(unix_name.sun_path, sizeof(unix_name.sun_path), "socket.%d", (int)getpid());
	fd = socket(AF_INET, SOCK_STREAM, 0);
	must(listen(fd, 64) | getsockname(fd, (void *)&tcp, &length), "listen");
	must(dup2(fd, LISTENER), "dup2");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	must(listen(fd, 4096) | getsockname(fd, (void *)&scrap, &length), "listen");
	must(dup2(fd, SCRAP_LISTENER), "dup2");
	tcp.sin_addr.s_addr = scrap.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(fd, (void *)&unix_name, sizeof(unix_name)) | listen(fd, 64), "listen");
	must(dup2(fd, UNIX_LISTENER), "dup2");
	must(pipe(fds), "pipe");
	dup2(fds[0], PIPE_OUT);
	dup2(fds[1], PIPE_IN);
	dup2(memfd_create("body", 0), BODY);
	must(write(BODY, RESPONSE GET, strlen(RESPONSE GET)), "write");
	dup2(open("/dev/null", O_RDWR), NOTHING);
	must(close_range(3, LISTENER - 1, 0), "close_range");
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(mprotect(page + 4096, 4096, PROT_NONE), "mprotect");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	set_up();
	headers = argv + 1;
	if (argc > 1)
		await(*headers);
	for (size_t place = 0; place < sizeof(places) / sizeof(*places); place++)
		for (size_t call = 0; call < sizeof(calls) / sizeof(*calls); call++)
			check(place, call);
	interrupted();
	keep_at(open("/dev/null", O_RDWR), PEER);
	show_self();
	unlink(unix_name.sun_path);
	return 0;
}
