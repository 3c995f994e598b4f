/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/shim.h"

#include <string.h>

#include "shim/activate.h"
#include "shim/address.h"
#include "shim/connect.h"
#include "shim/exchange.h"
#include "shim/fds.h"
#include "shim/foresight.h"
#include "shim/guard.h"
#include "shim/outgoing.h"
#include "shim/sys.h"
#include "shim/take_up.h"

_Atomic uint32_t shim_mode;

/* A policy that says "off" costs nothing: no connection is followed. */
static bool wanted(void)
{
	const struct policy *policy = table_policy(&shim.table);

	return (!policy || policy->mode == POLICY_ON) &&
	       !atomic_load_explicit(&shim.table.header->over, memory_order_relaxed);
}

/* Active, and not only for what it asks of others (client_only). */
static bool serves(void) { return active() && atomic_load_explicit(&shim.serves, memory_order_relaxed); }

/*
 * A vfork or CLONE_VM child runs on our memory: what it closes, it closes in
 * its own descriptor table, and we must not believe it. One system call per
 * closed connection.
 */
static bool is_owner(void)
{
	return !active() || !calls_allowed() || sys0(SYS_getpid) == (long)self_get()->pid;
}

/* Where a listener listens; asked once per listener. */
static uint32_t learn_listener(int fd)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t length = sizeof(addr);
	uint32_t index;

	if (fd_kind(fd_get(fd)) == FD_LISTENER)
		return fd_index(fd_get(fd));
	if (!calls_allowed() || sys3(SYS_getsockname, fd, (void *)&addr, (void *)&length) < 0)
		return 0;
	index = fd_new_listener();
	if (index) {
		struct listener *l = &fd_listener[index];

		address_parse((struct sockaddr *)&addr, length, &l->address);
		l->path_bytes = address_path((struct sockaddr *)&addr, length, l->path);
	}
	fd_set_entry(fd, (uint64_t)index << 2 | FD_LISTENER);
	return index;
}

void shim_listening(int fd)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t length = sizeof(addr);

	GUARD_ENTER();
	if (calls_allowed() && sys3(SYS_getsockname, fd, (void *)&addr, (void *)&length) == 0 &&
	    address_followed(addr.ss_family) && activate())
		learn_listener(fd);
	GUARD_LEAVE();
}

/*
 * Where a connection came in, if the listener listens everywhere. One more
 * system call per connection, only if exclusion patterns look at that address (or the
 * policy, which would say so, is not there yet).
 */
static void learn_local(int fd, struct conn *c)
{
	static const uint8_t any[16];
	const struct policy *policy = table_policy(&shim.table);
	struct sockaddr_storage addr = { 0 };
	socklen_t length = sizeof(addr);

	if (!calls_allowed() ||
	    (policy && (!policy->automaton_bytes || policy->flags & POLICY_FLAG_URL_FROM_HOST)))
		return;
	if ((c->local.family != AF_INET && c->local.family != AF_INET6) ||
	    memcmp(c->local.addr, any, c->local.family == AF_INET ? 4 : sizeof(any)) != 0)
		return;
	if (sys3(SYS_getsockname, fd, (void *)&addr, (void *)&length) == 0)
		address_parse((struct sockaddr *)&addr, length, &c->local);
}

static void follow(int fd, uint32_t listener, const struct sockaddr *addr, socklen_t length)
{
	const struct policy *policy = table_policy(&shim.table);
	uint32_t index = conn_new(CONN_SERVER);
	struct conn *c;

	ledger_count(LEDGER_CONNECTIONS);
	exchange_end_left();
	if (!index) {
		ledger_count(LEDGER_OPAQUE_NO_MEMORY);
		fd_forget(fd);
		return;
	}
	c = conn_at(index);
	address_parse(addr, length, &c->peer);
	c->listener = (uint8_t)listener;
	c->local = fd_listener[listener].address;
	learn_local(fd, c);
	if (policy && policy->flags & POLICY_FLAG_FULL_TIMING)
		c->accepted_ns = clock_now_ns();
	if (!c->peer.family) /* the peer of a UNIX socket has no name */
		c->peer.family = c->local.family;
	if (!fd_set_entry(fd, fd_entry_of_conn(index))) {
		ledger_count(LEDGER_UNTRACKED_FD);
		conn_drop(index);
	}
}

void shim_accepted(int listener, int fd, const struct sockaddr *addr, socklen_t length)
{
	GUARD_ENTER();
	if (!serves() && !activate()) {
		GUARD_LEAVE();
		return;
	}
	if (wanted() && (!addr || length < sizeof(sa_family_t) || address_followed(addr->sa_family)))
		follow(fd, learn_listener(listener), addr, length);
	else
		fd_forget(fd); /* the kernel gave this number anew: what we knew of it is gone */
	GUARD_LEAVE();
}

static void closing(int fd)
{
	uint64_t entry = fd_get(fd);

	if (fd_kind(entry) == FD_CONN && __builtin_expect(conn_at(fd_index(entry))->announced != 0, 0))
		foresight_settle(fd, conn_at(fd_index(entry)), fd_generation(entry));
	fd_forget(fd);
}

void shim_closing(int fd)
{
	GUARD_ENTER();
	if (is_owner())
		closing(fd);
	GUARD_LEAVE();
}

void shim_closing_range(unsigned first, unsigned last)
{
	GUARD_ENTER();
	if (!active() || !is_owner()) {
		GUARD_LEAVE();
		return;
	}
	if (last > fd_highest())
		last = fd_highest();
	for (unsigned fd = first; fd <= last; fd++)
		if (shim_tracks((int)fd))
			closing((int)fd);
	GUARD_LEAVE();
}

void shim_shut_down(int fd, int how)
{
	uint64_t entry = fd_get(fd);
	struct conn *c;

	GUARD_ENTER();
	if (fd_kind(entry) == FD_CONN && how != SHUT_RD) {
		c = conn_at(fd_index(entry));
		if (c->role == CONN_SERVER && conn_enter(c, fd_generation(entry), CONN_OUT_BUSY)) {
			exchange_output_ended(c);
			conn_leave(c, CONN_OUT_BUSY);
		}
	}
	GUARD_LEAVE();
}

void shim_duplicated(int from, int to)
{
	uint64_t entry = fd_get(from);

	GUARD_ENTER();
	if (from != to && (entry || shim_tracks(to)) && is_owner()) {
		if (fd_kind(entry) == FD_CONN)
			conn_hold(conn_at(fd_index(entry)));
		if (!entry)
			fd_forget(to);
		else if (!fd_set_entry(to, entry) && fd_kind(entry) == FD_CONN)
			conn_drop(fd_index(entry));
	}
	GUARD_LEAVE();
}

void take_up(int fd, const struct sockaddr_storage *peer)
{
	if ((serves() || activate()) && wanted())
		follow(fd, 0, (const struct sockaddr *)peer, sizeof(*peer));
}

static void moved_in(struct conn *c, const struct iovec *iov, size_t count, ssize_t result, int error)
{
	if (result > 0 && iov)
		exchange_input(c, iov, count, (uint64_t)result);
	else if (result > 0)
		exchange_input_unseen(c, (uint64_t)result);
	else if (result == 0 || conn_lost(error))
		exchange_input_ended(c, result == 0 ? 0 : error);
	exchange_leave_input(c);
}

static void moved_out(struct conn *c, const struct iovec *iov, size_t count, ssize_t result, int error)
{
	c->announced = 0;
	if (result > 0)
		c->sent += (uint64_t)result;
	if (result > 0 && iov)
		exchange_output(c, iov, count, (uint64_t)result);
	else if (result > 0)
		exchange_output_unseen(c, (uint64_t)result);
	else if (result < 0)
		exchange_output_unpredict(c);
	if (result < 0 && (error == EPIPE || error == ECONNRESET || error == ETIMEDOUT))
		exchange_output_failed(c, error);
	conn_leave(c, CONN_OUT_BUSY);
}

/* Requests are read from a connection that was accepted, and written to one that we made. */
static unsigned side_of(const struct conn *c, enum shim_direction direction)
{
	return (direction == SHIM_IN) == (c->role == CONN_SERVER) ? CONN_IN_BUSY : CONN_OUT_BUSY;
}

/* A client's side: parsed now, unless it must be rewritten, which parses by itself. */
static bool sending_request(struct conn *c, uint32_t generation, const struct iovec *iov, size_t count,
			    struct shim_send *send)
{
	bool rewrite = send && iov && outgoing_wanted(c, iov, count, 0);

	if (rewrite)
		*send = (struct shim_send){
			.iov = iov, .count = count, .conn = c->index, .generation = generation
		};
	else
		connect_sending(c, iov, iov ? count : 0);
	exchange_leave_input(c);
	return rewrite;
}

static bool sending(int fd, const struct iovec *iov, size_t count, uint64_t n, struct shim_send *send)
{
	uint64_t entry = fd_get(fd);
	struct conn *c;
	bool rewrite = false;

	if (fd_kind(entry) != FD_CONN || !n)
		return false;
	c = conn_at(fd_index(entry));
	if (!conn_enter(c, fd_generation(entry), side_of(c, SHIM_OUT))) {
		/* followed no more, but what is held of its head must still go out */
		rewrite = send && iov && c->rewrite &&
			  atomic_load_explicit(&c->generation, memory_order_relaxed) == fd_generation(entry);
		if (rewrite)
			*send = (struct shim_send){ .iov = iov,
						    .count = count,
						    .conn = c->index,
						    .generation = fd_generation(entry) };
	} else if (c->role == CONN_SERVER) {
		exchange_output_predict(c, iov, count, n);
		conn_leave(c, CONN_OUT_BUSY);
	} else {
		rewrite = sending_request(c, fd_generation(entry), iov, count, send);
	}
	if (rewrite)
		send->total = n;
	return rewrite;
}

/* What the kernel is going to take, and how many bytes. */
static bool plausible(const struct iovec *iov, size_t count, uint64_t *n)
{
	if (count > UIO_MAXIOV || !shim_plausible(iov, count * sizeof(*iov)))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (iov[i].iov_len && !shim_plausible(iov[i].iov_base, iov[i].iov_len))
			return false;
		*n += iov[i].iov_len;
	}
	return true;
}

bool shim_sending(int fd, const struct iovec *iov, size_t count, struct shim_send *send)
{
	uint64_t n = 0;
	bool rewrite;

	if (!plausible(iov, count, &n))
		return false;
	GUARD_ENTER();
	rewrite = sending(fd, iov, count, n, send);
	GUARD_LEAVE();
	return rewrite;
}

void shim_sending_unseen(int fd, size_t n)
{
	GUARD_ENTER();
	sending(fd, NULL, 0, n, NULL);
	GUARD_LEAVE();
}

static inline __attribute__((always_inline)) void moved(int fd, enum shim_direction direction,
							const struct iovec *iov, size_t count, ssize_t result)
{
	int error = errno;
	uint64_t entry = fd_get(fd);
	struct conn *c;

	if (result < 0 && direction == SHIM_IN && (error == EAGAIN || error == EINTR))
		return;
	if (__builtin_expect(fd_kind(entry) == FD_INETD, 0)) {
		take_up_inetd(fd, direction, iov, result);
		entry = fd_get(fd);
	}
	if (fd_kind(entry) != FD_CONN)
		return;
	c = conn_at(fd_index(entry));
	if (!conn_enter(c, fd_generation(entry), side_of(c, direction))) {
		/* Opaque: from now on this descriptor costs what any other does. */
		if (atomic_load_explicit(&c->use, memory_order_relaxed) & CONN_OPAQUE && !c->rewrite)
			fd_forget_entry(fd, entry);
	} else if (c->role == CONN_CLIENT) {
		(direction == SHIM_IN ? connect_received : connect_sent)(c, iov, count, result, error);
	} else {
		(direction == SHIM_IN ? moved_in : moved_out)(c, iov, count, result, error);
	}
	errno = error;
}

void shim_moved(int fd, enum shim_direction direction, const struct iovec *iov, size_t count, ssize_t result)
{
	if (direction == SHIM_IN)
		moved(fd, SHIM_IN, iov, count, result);
	else
		moved(fd, SHIM_OUT, iov, count, result);
}

void shim_moved_unseen(int fd, enum shim_direction direction, ssize_t result)
{
	if (result)
		moved(fd, direction, NULL, 0, result);
}
