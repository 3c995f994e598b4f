/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server with a bad habit: odd PORT HABIT [DIRECTORY]. It answers each request with "ok", keeps
 * connections alive, and serves one connection at a time or, where the habit says so, each in a thread or
 * process of its own. With another library's point of view: nothing that it does is forbidden.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *habit;
static int noise[2];

static int is(const char *name) { return !strcmp(habit, name); }

/* A child that shares our memory and closes everything it can, as launchers of programs do. */
static void spawn_that_closes_all(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		close_range(3, ~0u, 0);
		syscall(SYS_close, 4);
		dup2(0, 5);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Its lock is its own, but it shares our memory; and a connection of ours is none of its business. */
static void spawn_that_locks_itself_in(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, code };
	pid_t pid = vfork();

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
			_exit(1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A program that is loaded, us with it, and has ended before the answer is given. */
static void spawn_a_program(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void answer(int fd)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

	if (is("vfork"))
		spawn_that_closes_all();
	if (is("vfork-locked"))
		spawn_that_locks_itself_in();
	if (is("exec"))
		spawn_a_program();
	if (is("bytewise")) {
		for (size_t i = 0; i < sizeof(text) - 1; i++)
			while (write(fd, text + i, 1) < 0 && errno == EINTR)
				;
		return;
	}
	while (write(fd, text, sizeof(text) - 1) < 0 && errno == EINTR)
		;
}

/* The thread of the last connection reads, or is about to. */
static _Atomic int resting;

static void serve(int fd)
{
	char in[4096];
	size_t have = 0;
	ssize_t n;

	for (;;) {
		char *end;

		resting = 1;
		n = read(fd, in + have, sizeof(in) - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		resting = 0;
		in[have += (size_t)n] = 0;
		while ((end = strstr(in, "\r\n\r\n"))) {
			answer(fd);
			have -= (size_t)(end + 4 - in);
			memmove(in, end + 4, have + 1);
		}
	}
}

static void close_fd(void *fd) { close((int)(long)fd); }

static void *serve_in_thread(void *fd)
{
	pthread_cleanup_push(close_fd, fd);
	serve((int)(long)fd);
	pthread_cleanup_pop(1);
	return NULL;
}

/* One thread a connection; under "cancel" each new connection ends the thread of the one before it. */
static void start_thread(int fd)
{
	static pthread_t before;
	static int any;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	if (is("small-stack") && pthread_attr_setstacksize(&attr, 16384))
		abort();
	if (is("cancel") && any) {
		while (!resting) /* in write() libc may end the thread although the bytes have gone out */
			sched_yield();
		pthread_cancel(before);
		pthread_join(before, NULL);
	}
	resting = 0;
	if (pthread_create(&thread, &attr, serve_in_thread, (void *)(long)fd))
		abort();
	before = thread;
	any = 1;
	if (!is("cancel"))
		pthread_detach(thread);
}

/* Answers on descriptor 0, to which the connection has come by way of a high number. */
static void serve_by_other_numbers(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 700), low;

	close(fd);
	dup2(high, 0);
	close(high);
	low = dup(0);
	serve(low);
	close(low);
	close(0);
	open("/dev/null", O_RDONLY);
}

/* A process a connection, which nobody waits for. */
static void serve_in_child(int fd)
{
	if (fork() == 0) {
		serve(fd);
		_exit(0);
	}
	close(fd);
}

/* From here on there are no files, no /proc and no rights. */
static void lock_in(const char *directory)
{
	if (chroot(directory) || chdir("/") || setgid(65534) || setuid(65534))
		abort();
}

/* A process a connection, which from its first byte on may read, write and exit, nothing else. */
static void serve_under_lock(int fd)
{
	if (fork() == 0) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			abort();
		serve(fd);
		syscall(SYS_exit, 0); /* exit_group is forbidden */
	}
	close(fd);
}

static void send_descriptor(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(to, &message, 0) != 1)
		abort();
	close(fd);
}

static int receive_descriptor(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	int fd;

	if (recvmsg(from, &message, 0) != 1)
		_exit(0); /* the other side has ended */
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* A process that is there before anybody listens, and gets what it serves through a socket. */
static int start_worker(int argc, char **argv)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		abort();
	if (fork()) {
		close(ends[1]);
		return ends[0];
	}
	close(ends[0]);
	if (is("pass-listener")) {
		int listener = receive_descriptor(ends[1]);

		if (argc > 3)
			lock_in(argv[3]);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			serve(fd);
			close(fd);
		}
	}
	for (;;) {
		int fd = receive_descriptor(ends[1]);

		serve(fd);
		close(fd);
	}
}

/* A child that is somebody else, on its way to another program; it shares our memory. */
static void vfork_somebody_else(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		if (setuid(65534))
			_exit(1);
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void on_alarm(int number)
{
	int error = errno;
	char c = 'x';

	(void)number;
	(void)!write(noise[1], &c, 1);
	(void)!send(noise[1], &c, 1, MSG_DONTWAIT);
	(void)!read(noise[0], &c, 1);
	(void)!recv(noise[0], &c, 1, MSG_DONTWAIT);
	errno = error;
}

static void ring_all_the_time(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct sigaction action = { .sa_handler = on_alarm };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, noise))
		abort();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* From here on any system call but those of serving ends the process. Of ours one is allowed, which
 * real filters have for malloc: mmap of the connections' memory. */
static void lock_up(void)
{
#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(accept),
		ALLOW(accept4),
		ALLOW(bind),
		ALLOW(listen),
		ALLOW(close),
		ALLOW(exit_group),
		ALLOW(rt_sigreturn),
		ALLOW(mmap),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		abort();
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int listener = 3, one = 1, fd, worker = -1;

	if (argc < 3)
		return 2;
	habit = argv[2];
	if (is("pass") || is("pass-listener"))
		worker = start_worker(argc, argv);
	if (!is("handed"))
		listener = socket(AF_INET, SOCK_STREAM, 0);
	at.sin_port = htons((unsigned short)atoi(argv[1]));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (is("chroot-first"))
		lock_in(argv[3]);
	if (is("seccomp-first"))
		lock_up();
	if (!is("handed") && (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 64)))
		return 1;
	if (is("handed")) {
		vfork_somebody_else();
		lock_in(argv[3]);
	}
	if (is("pass-listener")) {
		send_descriptor(worker, listener);
		pause();
	}
	if (!is("seccomp-first"))
		signal(SIGPIPE, SIG_IGN);
	if (is("handler"))
		ring_all_the_time();
	if (is("seccomp"))
		lock_up();
	if (is("fork") || is("chroot") || is("strict"))
		signal(SIGCHLD, SIG_IGN);
	if (is("chroot"))
		lock_in(argv[3]);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		if (is("small-stack") || is("cancel") || is("threads"))
			start_thread(fd);
		else if (is("fork") || is("chroot"))
			serve_in_child(fd);
		else if (is("strict"))
			serve_under_lock(fd);
		else if (is("pass"))
			send_descriptor(worker, fd);
		else if (is("dup"))
			serve_by_other_numbers(fd);
		else {
			serve(fd);
			close(fd);
		}
	}
}
