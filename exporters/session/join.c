/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "exporters/session/join.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporters/session/session.h"

static void send_table(int client)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char byte = 't';
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	int fd = SESSION_FD_TABLE;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	(void)!sendmsg(client, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Only our own user and root: whoever has the table reads all spans and may write false ones. */
static bool may_join(int client)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

void join_serve(int listener)
{
	int client;

	while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (may_join(client))
			send_table(client); /* waits there although the connection is closed at once */
		close(client);
	}
}
