/* SPDX-License-Identifier: Apache-2.0 */
/* Part of witness.c: what the rows of witness.def say. */

#define IOV(...)     ((struct iovec[]){ __VA_ARGS__ })
#define MESSAGE(...) (&(struct msghdr){ __VA_ARGS__ })
#define NOWHERE      ((void *)8)
#define UNMAPPED     ((void *)(page + 4096))
#define KERNEL       ((void *)-4096L)
#define LENGTH(n)    ((socklen_t[]){ n })
#define NAME         ((struct sockaddr *)more)
#define SCRAP        ((struct sockaddr *)&scrap)

/* A control message with our standard output in it; kind: what it says to be. */
static struct msghdr *with_control(const char *text, int kind, size_t length)
{
	static union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	static struct iovec iov;
	static struct msghdr message;

	iov = (struct iovec){ (void *)text, strlen(text) };
	message = (struct msghdr){
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	control.head = (struct cmsghdr){ .cmsg_len = length, .cmsg_level = SOL_SOCKET, .cmsg_type = kind };
	memcpy(CMSG_DATA(&control.head), &(int){ NOTHING }, sizeof(int));
	return &message;
}

/* What recvmsg() says beside its result. */
static long message_of(int fd, struct msghdr *message, int flags)
{
	long got = recvmsg(fd, message, flags);

	if (got >= 0)
		printf("flags %x, name %u, control %zu; ", message->msg_flags, message->msg_namelen,
		       (size_t)message->msg_controllen);
	return got;
}

static long messages_of(int fd, unsigned n, int flags, struct timespec *timeout)
{
	struct iovec iov[2] = { { in, 20 }, { more, 30 } };
	struct mmsghdr both[2] = { { .msg_hdr = { .msg_iov = iov, .msg_iovlen = 1 } },
				   { .msg_hdr = { .msg_iov = iov + 1, .msg_iovlen = 1 } } };
	long got = recvmmsg(fd, both, n, flags, timeout);

	printf("%u %u; ", both[0].msg_len, both[1].msg_len);
	return got;
}

static long send_messages(int fd, const char *first, const char *second)
{
	struct iovec iov[2] = { { (void *)first, strlen(first) }, { (void *)second, second ? 10 : 20 } };
	struct mmsghdr both[2] = { { .msg_hdr = { .msg_iov = iov, .msg_iovlen = 1 } },
				   { .msg_hdr = { .msg_iov = iov + 1, .msg_iovlen = 1 } } };
	long sent = sendmmsg(fd, both, 2, MSG_NOSIGNAL);

	printf("%u %u; ", both[0].msg_len, both[1].msg_len);
	return sent;
}

/* As many bytes as there are vectors. */
static struct iovec *ones(const char *text)
{
	static struct iovec iov[1025];

	for (size_t i = 0; i < 1025; i++)
		iov[i] = (struct iovec){ (void *)(text + i % strlen(text)), i < strlen(text) };
	return iov;
}

/* The text ends where the readable memory does. */
static char *at_the_edge(const char *text) { return memcpy(page + 4096 - strlen(text), text, strlen(text)); }

static long send_file(int fd, off_t *at, size_t n)
{
	long sent = sendfile(fd, BODY, at, n);

	printf("at %ld; ", at && at != NOWHERE ? (long)*at : (long)lseek(BODY, 0, SEEK_CUR));
	return sent;
}

static long splice_in(int fd, const char *text, size_t n)
{
	must(write(PIPE_IN, text, strlen(text)), "write");
	return splice(PIPE_OUT, NULL, fd, NULL, n, SPLICE_F_NONBLOCK);
}

static long splice_out(int fd, size_t n)
{
	long got = splice(fd, NULL, PIPE_IN, NULL, n, SPLICE_F_NONBLOCK);
	int error = errno;

	if (got > 0)
		got = got * 1000 + read(PIPE_OUT, in, sizeof(in));
	errno = error;
	return got;
}

/* Not how much, but whether all of it: of what another end has not read yet the kernel may take more or less.
 */
static long large(long result) { return result > 0 && result < 3 << 20 ? 1 : result; }

static char *three_megabytes(void)
{
	static char *bytes;

	if (!bytes) {
		bytes = malloc(3 << 20);
		memset(bytes, 'b', 3 << 20);
		memcpy(bytes, "HTTP/1.1 200 OK\r\nContent-Length: 3145687\r\n\r\n", 44);
	}
	return bytes;
}

static long after_closing(int fd)
{
	close(fd);
	return write(fd, RESPONSE, strlen(RESPONSE));
}

static long twice(int fd, int (*call)(int)) { return call(fd) * 10 + call(fd); }

static long through_a_duplicate(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 300);

	close(fd);
	return high < 0 ? high : high * 1000000L + write(high, RESPONSE, strlen(RESPONSE));
}

/* The number goes to something else, which HTTP is written to. */
static long replaced(int fd)
{
	dup2(NOTHING, fd);
	return write(fd, RESPONSE, strlen(RESPONSE)) * 1000 + write(fd, GET, strlen(GET));
}

/* The connection is dissolved, and the socket is used for another one. */
static long connected_anew(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	long first = connect(fd, &none, sizeof(none));
	int error = errno;

	return first * 1000000 + (first ? error : connect(fd, SCRAP, sizeof(scrap)) * 1000 + errno);
}

/* Calls that fail for their arguments, and leave the connection as it was. */
static long served_after_errors(int fd)
{
	long n = read(fd, NULL, 100) + recv(fd, UNMAPPED, 100, 0) + readv(fd, NULL, 2) + recvmsg(fd, NULL, 0);

	n = n * 1000 + read(fd, in, sizeof(in));
	n = n * 10 + write(fd, NULL, 10) + close_range(9, 8, 0) + close_range(3, 400, 64);
	return n * 100 + write(fd, RESPONSE, strlen(RESPONSE));
}

static void closefrom_high(void) { closefrom(ALL_FIXED); }

#define CALL(name, expression)             \
	static long call_##name(int fd)    \
	{                                  \
		(void)fd;                  \
		return (long)(expression); \
	}
#include "witness.def"
#undef CALL

static const struct {
	const char *name;
	long (*make)(int fd);
} calls[] = {
#define CALL(name, expression) { #name, call_##name },
#include "witness.def"
#undef CALL
};
