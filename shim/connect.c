/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that this process makes: from connect() on, and what goes over them. */
#include "shim/connect.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "shim/activate.h"
#include "shim/address.h"
#include "shim/exchange.h"
#include "shim/guard.h"
#include "shim/sys.h"
#include "shim/unreached.h"

/* The name of a UNIX socket, as the kernel shows it: an abstract one begins with @. */
static void keep_path(struct conn *c, const struct sockaddr *addr, socklen_t length)
{
	size_t n = length > offsetof(struct sockaddr_un, sun_path)
			   ? length - offsetof(struct sockaddr_un, sun_path)
			   : 0;
	struct conn_path *path;

	if (addr->sa_family != AF_UNIX || !n || !(c->path = pool_take(&path_pool)))
		return;
	path = pool_at(&path_pool, c->path);
	if (n > sizeof(path->text))
		n = sizeof(path->text);
	memset(path->text, 0, sizeof(path->text));
	memcpy(path->text, (const char *)addr + offsetof(struct sockaddr_un, sun_path), n);
	if (!path->text[0])
		path->text[0] = '@';
}

static bool is_stream(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return calls_allowed() &&
	       sys5(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (void *)&type, (void *)&length) >= 0 &&
	       type == SOCK_STREAM;
}

static void describe(struct conn *c, const struct sockaddr *addr, socklen_t length)
{
	address_parse(addr, length, &c->peer);
	keep_path(c, addr, length);
}

/* connecting_ns: see struct conn. */
static void follow(int fd, const struct sockaddr *addr, socklen_t length, uint64_t connecting_ns)
{
	uint32_t index = conn_new(CONN_CLIENT);
	struct conn *c;

	ledger_count(LEDGER_CLIENT_CONNECTIONS);
	if (!index) {
		ledger_count(LEDGER_CLIENT_OPAQUE);
		fd_forget(fd);
		return;
	}
	c = conn_at(index);
	describe(c, addr, length);
	c->opener = serving_opening(clock_now_ns());
	atomic_store_explicit(&c->connecting_ns, connecting_ns, memory_order_relaxed);
	if (!fd_set_entry(fd, fd_entry_of_conn(index))) {
		ledger_count(LEDGER_CLIENT_OPAQUE);
		conn_drop(index);
	}
}

/* Under way or there, whatever connect() said. error: 0 if it succeeded. */
static bool may_be_connected(int error) { return error == 0 || error == EINPROGRESS || error == EINTR; }

static bool asked_for(void)
{
	const struct policy *policy = table_policy(&shim.table);

	if (atomic_load_explicit(&shim.table.header->over, memory_order_relaxed))
		return false;
	if (!policy) /* what is sent before it comes is judged by the exporter */
		return true;
	return policy->mode == POLICY_ON && policy->flags & POLICY_FLAG_CLIENT_SPANS &&
	       (policy->flags & POLICY_FLAG_CLIENT_ONLY ||
		atomic_load_explicit(&shim.serves, memory_order_relaxed));
}

static bool is_active(void) { return atomic_load_explicit(&shim_mode, memory_order_acquire) == SHIM_ACTIVE; }

uint64_t shim_connecting(void)
{
	uint64_t now_ns;

	if (!is_active() || !asked_for())
		return 0;
	GUARD_ENTER();
	now_ns = clock_now_ns();
	GUARD_LEAVE();
	return now_ns;
}

static bool nobody_serves_yet(void)
{
	return atomic_load_explicit(&shim.early, memory_order_relaxed) &&
	       !atomic_load_explicit(&shim.serves, memory_order_relaxed) && !table_policy(&shim.table);
}

/* Cheap for who never serves, and is not to be traced: asked once. */
static bool may_activate(int fd)
{
	return shim_armed() && !atomic_load_explicit(&shim.client_unwanted, memory_order_relaxed) &&
	       is_stream(fd) && activate_client();
}

static bool connect_is_under_way(const struct conn *c)
{
	return c->role == CONN_CLIENT && atomic_load_explicit(&c->connecting_ns, memory_order_relaxed);
}

/* It came to nothing, at once or when asked again. begun_ns: of this call. */
static void failed(int fd, const struct sockaddr *addr, socklen_t length, int error, uint64_t begun_ns)
{
	uint64_t entry = fd_get(fd);
	uint32_t index;
	struct conn *c;

	if (fd_kind(entry) == FD_CONN && connect_is_under_way(conn_at(fd_index(entry)))) {
		unreached(conn_at(fd_index(entry)), fd_generation(entry), error);
		return;
	}
	index = conn_new(CONN_CLIENT); /* as long as it takes */
	if (!index)
		return;
	c = conn_at(index);
	describe(c, addr, length);
	if (unreached_known(c) && is_stream(fd)) { /* of others nothing is learned */
		c->opener = serving_opening(begun_ns);
		atomic_store_explicit(&c->connecting_ns, begun_ns, memory_order_relaxed);
		unreached(c, atomic_load_explicit(&c->generation, memory_order_relaxed), error);
	}
	conn_drop(index);
}

static void connected(int fd, const struct sockaddr *addr, socklen_t length, int error, uint64_t begun_ns)
{
	bool open = may_be_connected(error) && address_followed(addr->sa_family);

	if (!is_active() && !(open && may_activate(fd)))
		return;
	if (nobody_serves_yet()) /* and its exporter waits for that: who only asks does not wake it */
		return;
	if (calls_allowed() &&
	    sys0(SYS_getpid) != (long)self_get()->pid) /* a vfork child's descriptors are not ours */
		return;
	if (begun_ns && unreached_error(error) && address_followed(addr->sa_family))
		failed(fd, addr, length, error, begun_ns);
	if (open && asked_for() && is_stream(fd))
		follow(fd, addr, length, error ? begun_ns : 0);
	else if (shim_tracks(fd))
		fd_forget(fd);
}

void shim_connected(int fd, const struct sockaddr *addr, socklen_t length, int result, uint64_t begun_ns)
{
	int error = errno;

	if (addr && length >= sizeof(sa_family_t) && !(result < 0 && (error == EALREADY || error == EISCONN)))
		connected(fd, addr, length, result < 0 ? error : 0, begun_ns);
	errno = error;
}

void shim_socket_error(int fd, const void *value)
{
	uint64_t entry = fd_get(fd);
	struct conn *c;
	int error;

	memcpy(&error, value, sizeof(error));
	if (fd_kind(entry) != FD_CONN)
		return;
	c = conn_at(fd_index(entry));
	if (!connect_is_under_way(c))
		return;
	GUARD_ENTER();
	if (unreached_error(error))
		unreached(c, fd_generation(entry), error);
	else if (!error) /* asked when it is writable: it is there */
		atomic_store_explicit(&c->connecting_ns, 0, memory_order_relaxed);
	GUARD_LEAVE();
}

void connect_sending(struct conn *c, const struct iovec *iov, size_t count)
{
	struct exchange_ahead ahead = { .bytes = c->ahead };

	exchange_input_ahead(c, iov, count, &ahead);
	c->ahead = ahead.bytes;
}

static void sent(struct conn *c, const struct iovec *iov, size_t count, uint64_t n)
{
	uint64_t known = c->ahead < n ? c->ahead : n;

	c->ahead -= known;
	if (known == n)
		return;
	if (!iov) /* sendfile, splice */
		exchange_input_unseen(c, n - known);
	else if (!known) /* by a call that is not announced */
		exchange_input(c, iov, count, n);
	else
		conn_give_up(c, LEDGER_OPAQUE_BROKEN);
}

void connect_sent(struct conn *c, const struct iovec *iov, size_t count, ssize_t result, int error)
{
	if (result > 0) {
		sent(c, iov, count, (uint64_t)result);
		unreached_not(c);
	} else if (result < 0 && conn_lost(error)) {
		unreached_here(c, error);
		exchange_output_failed(c, error);
	}
	exchange_leave_input(c);
}

/* Its answer has come, or more of it: serving.h wants to know. */
static void answered(struct conn *c)
{
	uint32_t index = c->answering ? c->answering : ring_front(c);

	if (index)
		serving_received(pending_at(index)->start_ns, c->answering != 0);
}

void connect_received(struct conn *c, const struct iovec *iov, size_t count, ssize_t result, int error)
{
	if (result < 0)
		unreached_by_call(c, atomic_load_explicit(&c->generation, memory_order_relaxed), error);
	if (result > 0)
		answered(c);
	if (result > 0 && iov)
		exchange_output(c, iov, count, (uint64_t)result);
	else if (result > 0)
		exchange_output_unseen(c, (uint64_t)result);
	else if (result == 0)
		exchange_responses_ended(c);
	else if (conn_lost(error))
		exchange_output_failed(c, error);
	conn_leave(c, CONN_OUT_BUSY);
}
