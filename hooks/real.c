/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/real.h"

#include <string.h>

#include "shim/dl.h"
#include "shim/shim.h"

struct real real = {
#define HOOK(name) .name = raw_##name,
#include "hooks/hooks.def"
#undef HOOK
};

/*
 * Set by the first copy of this library in a process. Exported and used through
 * the dynamic symbol table, so that a second copy (two paths in LD_PRELOAD) sees
 * the first one's and leaves the work to it.
 */
EXPORT _Atomic int btrace_loaded;

static const struct {
	const char *name;
	size_t offset;
} hooks[] = {
#define HOOK(name) { #name, offsetof(struct real, name) },
#include "hooks/hooks.def"
#undef HOOK
};

static void resolve(void)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		void *found = dlsym(RTLD_NEXT, hooks[i].name);

		if (found)
			memcpy((char *)&real + hooks[i].offset, &found, sizeof(found));
	}
}

/* Resolved at once and never lazily: close() and write() must stay async-signal-safe, which dlsym() is not.
 */
static __attribute__((constructor)) void constructor(int argc, char **argv, char **envp)
{
	resolve();
	if (!atomic_exchange_explicit(&btrace_loaded, 1, memory_order_acq_rel))
		shim_start(argc, argv, envp);
}
