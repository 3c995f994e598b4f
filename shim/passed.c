/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors in control messages (SCM_RIGHTS, unix(7)): a connection comes to this process, or leaves it. */
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
