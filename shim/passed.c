/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that were there before us: in control messages (SCM_RIGHTS, unix(7)), or as descriptor 0 to 2
 * of inetd. */
#include <string.h>

#include "shim/activate.h"
#include "shim/address.h"
#include "shim/engine.h"
#include "shim/fds.h"
#include "shim/guard.h"
#include "shim/take_up.h"

static int next_control_fd(const struct msghdr *message, struct cmsghdr **cmsg, size_t *i, int *fd)
{
	for (; *cmsg; *cmsg = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, *cmsg), *i = 0) {
		if ((*cmsg)->cmsg_level != SOL_SOCKET || (*cmsg)->cmsg_type != SCM_RIGHTS)
			continue;
		if (CMSG_LEN((*i + 1) * sizeof(int)) > (*cmsg)->cmsg_len)
			continue;
		memcpy(fd, CMSG_DATA(*cmsg) + (*i)++ * sizeof(int), sizeof(int));
		return 1;
	}
	return 0;
}

void shim_received_control(const struct msghdr *message)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);
	struct sockaddr_storage peer = { 0 };
	size_t i = 0;
	int fd = -1;

	GUARD_ENTER();
	while (next_control_fd(message, &cmsg, &i, &fd)) {
		if (active())
			fd_forget(fd);
		if (!calls_allowed())
			continue;
		if (address_connected_tcp(fd, &peer))
			take_up(fd, &peer);
		else if (!active() && address_listens(fd))
			activate(); /* its workers may accept() only when they have given up their rights */
	}
	GUARD_LEAVE();
}

void shim_sent_control(const struct msghdr *message)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);
	size_t i = 0;
	int fd = -1;

	GUARD_ENTER();
	while (active() && next_control_fd(message, &cmsg, &i, &fd)) {
		uint64_t entry = fd_get(fd);

		if (fd_kind(entry) == FD_CONN) { /* the receiver serves it now */
			ledger_count(LEDGER_PASSED_FD);
			fd_forget_entry(fd, entry);
		}
	}
	GUARD_LEAVE();
}

void shim_found_inetd(void)
{
	struct sockaddr_storage peer = { 0 };

	for (int fd = 0; fd <= 2; fd++)
		if (address_connected_tcp(fd, &peer))
			fd_set_entry(fd, FD_INETD);
}

void take_up_inetd(int fd, enum shim_direction direction, const struct iovec *iov, ssize_t result)
{
	struct sockaddr_storage peer = { 0 };
	bool http =
		direction == SHIM_IN && result > 0 && iov && http1_sniff(iov->iov_base, (size_t)result) == 1;
	uint64_t entry;

	if (http && address_connected_tcp(fd, &peer))
		take_up(fd, &peer);
	entry = fd_get(fd);
	for (int other = 0; other <= 2; other++) {
		if (fd_kind(fd_get(other)) != FD_INETD)
			continue;
		fd_forget(other);
		if (fd_kind(entry) == FD_CONN)
			shim_duplicated(fd, other);
	}
}
