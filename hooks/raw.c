/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare system calls behind struct real, for the time before the constructor
 * (other preloads, IFUNC resolvers, libc's own start) and for old libcs. Not
 * cancellation points; nobody is cancelled that early.
 */
#include "hooks/real.h"

#include <errno.h>
#include <stdarg.h>

#include "shim/sys.h"

static long result(long got)
{
	if (got >= 0 || got < -4095)
		return got;
	errno = (int)-got;
	return -1;
}

int raw_listen(int fd, int backlog) { return (int)result(sys2(SYS_listen, fd, backlog)); }

int raw_accept(int fd, __SOCKADDR_ARG addr, socklen_t *length)
{
	return (int)result(sys4(SYS_accept4, fd, addr.__sockaddr__, length, 0));
}

int raw_accept4(int fd, __SOCKADDR_ARG addr, socklen_t *length, int flags)
{
	return (int)result(sys4(SYS_accept4, fd, addr.__sockaddr__, length, flags));
}

int raw_connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t length)
{
	return (int)result(sys3(SYS_connect, fd, addr.__sockaddr__, length));
}

int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	return (int)result(sys5(SYS_getsockopt, fd, level, name, value, length));
}

ssize_t raw_read(int fd, void *p, size_t n) { return result(sys3(SYS_read, fd, p, n)); }
ssize_t raw_readv(int fd, const struct iovec *iov, int count)
{
	return result(sys3(SYS_readv, fd, iov, count));
}

ssize_t raw_recv(int fd, void *p, size_t n, int flags)
{
	return result(sys6(SYS_recvfrom, fd, SYS_ARG(p), SYS_ARG(n), flags, 0, 0));
}

ssize_t raw_recvfrom(int fd, void *p, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *length)
{
	return result(sys6(SYS_recvfrom, fd, SYS_ARG(p), SYS_ARG(n), flags, SYS_ARG(from.__sockaddr__),
			   SYS_ARG(length)));
}

ssize_t raw_recvmsg(int fd, struct msghdr *message, int flags)
{
	return result(sys3(SYS_recvmsg, fd, message, flags));
}

int raw_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout)
{
	return (int)result(sys5(SYS_recvmmsg, fd, messages, n, flags, timeout));
}

/* What the fortified forms check was checked by nobody yet: a length beyond the object is the caller's abort.
 */
ssize_t raw___read_chk(int fd, void *p, size_t n, size_t size)
{
	return n > size ? result(-EFAULT) : raw_read(fd, p, n);
}

ssize_t raw___recv_chk(int fd, void *p, size_t n, size_t size, int flags)
{
	return n > size ? result(-EFAULT) : raw_recv(fd, p, n, flags);
}

ssize_t raw___recvfrom_chk(int fd, void *p, size_t n, size_t size, int flags, __SOCKADDR_ARG from,
			   socklen_t *length)
{
	return n > size ? result(-EFAULT) : raw_recvfrom(fd, p, n, flags, from, length);
}

ssize_t raw_write(int fd, const void *p, size_t n) { return result(sys3(SYS_write, fd, p, n)); }
ssize_t raw_writev(int fd, const struct iovec *iov, int count)
{
	return result(sys3(SYS_writev, fd, iov, count));
}

ssize_t raw_send(int fd, const void *p, size_t n, int flags)
{
	return result(sys6(SYS_sendto, fd, SYS_ARG(p), SYS_ARG(n), flags, 0, 0));
}

ssize_t raw_sendto(int fd, const void *p, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t length)
{
	return result(sys6(SYS_sendto, fd, SYS_ARG(p), SYS_ARG(n), flags, SYS_ARG(to.__sockaddr__), length));
}

ssize_t raw_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return result(sys3(SYS_sendmsg, fd, message, flags));
}

int raw_sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	return (int)result(sys4(SYS_sendmmsg, fd, messages, n, flags));
}

ssize_t raw_sendfile(int out, int in, off_t *offset, size_t n)
{
	return result(sys4(SYS_sendfile, out, in, offset, n));
}

ssize_t raw_sendfile64(int out, int in, off64_t *offset, size_t n)
{
	return result(sys4(SYS_sendfile, out, in, offset, n));
}

ssize_t raw_splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t n, unsigned flags)
{
	return result(sys6(SYS_splice, in, SYS_ARG(in_offset), out, SYS_ARG(out_offset), SYS_ARG(n), flags));
}

int raw_close(int fd) { return (int)result(sys1(SYS_close, fd)); }

int raw_close_range(unsigned first, unsigned last, int flags)
{
	return (int)result(sys3(SYS_close_range, first, last, flags));
}

void raw_closefrom(int first)
{
	if (sys3(SYS_close_range, first < 0 ? 0 : first, ~0u, 0) >= 0)
		return;
	for (int fd = first < 0 ? 0 : first; fd < 65536; fd++) /* before Linux 5.9 */
		sys1(SYS_close, fd);
}

int raw_shutdown(int fd, int how) { return (int)result(sys2(SYS_shutdown, fd, how)); }
int raw_dup(int fd) { return (int)result(sys1(SYS_dup, fd)); }

int raw_dup2(int from, int to)
{
	if (from == to) /* dup3 refuses this, dup2 only looks whether it is open */
		return sys2(SYS_fcntl, from, F_GETFD) < 0 ? (int)result(-EBADF) : to;
	return (int)result(sys3(SYS_dup3, from, to, 0));
}

int raw_dup3(int from, int to, int flags) { return (int)result(sys3(SYS_dup3, from, to, flags)); }

int raw_fcntl(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return (int)result(sys3(SYS_fcntl, fd, command, argument));
}

int raw_fcntl64(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return (int)result(sys3(SYS_fcntl, fd, command, argument));
}

/* Of the calling thread alone; nobody has a second one that early. */
int raw_setuid(uid_t uid) { return (int)result(sys1(SYS_setuid, uid)); }
int raw_seteuid(uid_t uid) { return (int)result(sys3(SYS_setresuid, -1, uid, -1)); }
int raw_setreuid(uid_t ruid, uid_t euid) { return (int)result(sys2(SYS_setreuid, ruid, euid)); }

int raw_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	return (int)result(sys3(SYS_setresuid, ruid, euid, suid));
}

int raw_chroot(const char *path) { return (int)result(sys1(SYS_chroot, path)); }

int raw_prctl(int option, ...)
{
	va_list list;
	long a[4];

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	return (int)result(sys5(SYS_prctl, option, a[0], a[1], a[2], a[3]));
}

long raw_syscall(long number, ...)
{
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	return result(sys6(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}
