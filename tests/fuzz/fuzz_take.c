/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole span table is the attacker's, who writes into it between any two steps of the worker: it never
 * crashes, hangs, reads or writes elsewhere. The input: one byte of what to do, then what that needs.
 */
// clang-format off
// FUZZ_SOURCES: exporters/session/take*.c exporters/session/l[eio][dvg]*.c exporters/session/options.c
// FUZZ_SOURCES: exporters/session/poison.c exporters/session/unix_time.c exporters/session/routes.c
// FUZZ_SOURCES: exporters/session/session.c exporters/span/*.c exporters/base/*.c
// FUZZ_SOURCES: exporters/route/*.c exporters/policy/*.c exporters/config/*.c shim/abi/*.c shim/decide.c shim/local_host.c shim/http/*.c
// FUZZ_LIBS: -lyaml -lm
// clang-format on
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exporters/session/ledger.h"
#include "exporters/session/poison.h"
#include "exporters/session/take.h"
#include "tests/lib/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 64 };

static struct session session;
static struct take take;
static void *base;
static size_t bytes;

static void start(void)
{
	static const uint8_t seed[32] = { 1 };

	bytes = table_bytes(SLOTS);
	if (!base) {
		base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		session.control = control_create();
		if (base == MAP_FAILED || !session.control)
			abort();
		session.config.child_spans = true;
		session.config.batch_spans = 8;
	}
	madvise(base, bytes, MADV_DONTNEED);
	memset(session.control->account, 0, sizeof(session.control->account));
	session.control->journal.batch = 0;
	session.control->journal.making = 0;
	session.control->suspect = (struct control_suspect){ 0 };
	if (table_create(&session.table, base, bytes, SLOTS, seed) ||
	    (!session.mapped && take_init(&take, &session, 1)))
		abort();
	session.mapped = true;
}

/* Where attackers would write: anything of the first words of each part, or anywhere. */
static void *target(uint8_t part, uint16_t at)
{
	struct table *t = &session.table;

	switch (part % 6) {
	case 0: return (char *)t->state + at % (SLOTS * 8);
	case 1: return (char *)t->done_bits + at % 8;
	case 2: return (char *)t->process + at % 8192;
	case 3: return (char *)t->policy + at;
	case 4: return (char *)t->header + at % 4096;
	default: return (char *)t->slot + at % (SLOTS * SPAN_SLOT_BYTES - 256);
	}
}

static size_t scribble(const uint8_t *data, size_t size)
{
	size_t n;

	if (size < 4)
		return size;
	n = data[3] < size - 4 ? data[3] : size - 4;
	memcpy(target(data[0], (uint16_t)(data[1] | data[2] << 8)), data + 4, n);
	return 4 + n;
}

/* A span as the library would leave it, a part of its record from the input. */
static size_t add_span(const uint8_t *data, size_t size)
{
	struct span_slot record = record_plain(SPAN_KIND_SERVER);
	struct table_place place;
	uint64_t word;
	uint32_t slot;
	size_t at, n;

	if (size < 4)
		return size;
	place = table_place(&session.table, data[0]);
	slot = table_claim(&session.table, &place, data[0] % 4, &word);
	if (slot == TABLE_NO_SLOT)
		return 1;
	at = (size_t)(data[1] | data[2] << 8) % (sizeof(record) - 256);
	n = data[3] < size - 4 ? data[3] : size - 4;
	memcpy((char *)&record + at, data + 4, n);
	session.table.slot[slot] = record;
	if (data[0] & 16)
		table_finish(&session.table, slot, word);
	return 4 + n;
}

static void hand_over(void)
{
	if (take_seal(&take))
		take_done(&take);
}

/* Killed here: what it held in memory of its own is gone. */
static void forget(void)
{
	take.number = take.lost = 0;
	take.n = take.n_slots = take.cursor = 0;
	take.counts = (struct journal_counts){ 0 };
	arena_clear(&take.arena);
}

static void successor(void)
{
	poison_note_death(session.control);
	forget();
	take.epoch++;
	if (take_resume(&take))
		take_done(&take);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger_sums sums;

	start();
	for (size_t at = 0; at < size;) {
		switch (data[at++] % 8) {
		case 0:
		case 1: at += scribble(data + at, size - at); break;
		case 2: at += add_span(data + at, size - at); break;
		case 3: take_fill(&take); break;
		case 4: hand_over(); break;
		case 5:
			take_note_dead(&take, at < size && data[at] & 1);
			while (take_dead(&take))
				hand_over();
			hand_over();
			break;
		case 6: take_seal(&take); /* fall through */
		default: successor();
		}
	}
	ledger_sum(&session, &sums);
	forget();
	return 0;
}
