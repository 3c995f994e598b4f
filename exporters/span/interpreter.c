/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */
#include "exporters/span/interpreter.h"

#include <stddef.h>

/*
 * One row an interpreter. Options that stand alone need no entry; those whose
 * value may be the next argument do, else the value is taken for the script.
 *	name: the executable is this, or this and a version ("python3.11")
 *	values: such options; lists are written " a b c "
 *	module: the next argument names the program
 *	code: the program stands on the command line, so it has no name
 *	verbs: words before the script
 *	suffixes: of scripts, left out
 *	flags: letters that may stand before another in one word ("-um module")
 */
struct interpreter {
	const char *name, *values, *module, *code, *verbs, *suffixes, *flags;
};

#define NODE_VALUES                                                                                      \
	" -r --require --import --loader --experimental-loader -C --conditions --env-file --title"       \
	" --watch-path --max-http-header-size --stack-trace-limit --unhandled-rejections --icu-data-dir" \
	" --openssl-config --disable-warning --input-type "
#define JAVA_VALUES                                                                                     \
	" -cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --add-opens" \
	" --add-exports --add-reads --enable-native-access --limit-modules "
#define DOTNET_VALUES " --depsfile --runtimeconfig --additionalprobingpath --fx-version "

static const struct interpreter interpreters[] = {
	{ "python", " -W -X --check-hash-based-pycs ", " -m ", " -c ", "", " .pyz .pyw .pyc .py ",
	  "bBdEhiIOPqRsSuvVx" },
	{ "pypy", " -W -X --jit ", " -m ", " -c ", "", " .pyc .py ", "bBdEhiIOPqRsSuvVx" },
	{ "node", NODE_VALUES, "", " -e --eval -p --print -pe ", "", " .mjs .cjs .js .ts ", "" },
	{ "nodejs", NODE_VALUES, "", " -e --eval -p --print -pe ", "", " .mjs .cjs .js .ts ", "" },
	{ "deno", " -c --config --import-map --env-file ", "", " eval ", " run serve ", " .mjs .js .tsx .ts ",
	  "" },
	{ "bun", " -r --preload -c --config --cwd --env-file ", "", " -e --eval ", " run ",
	  " .mjs .js .tsx .ts ", "" },
	{ "ruby", " -I -r -C -E --encoding ", "", " -e ", "", " .rb .ru ", "" },
	{ "perl", " -I ", "", " -e -E ", "", " .pl .psgi ", "" },
	{ "php", " -S -t -d -c -z --server --docroot --define --php-ini ", " -f --file ", " -r --run ", "",
	  " .php ", "" },
	{ "java", JAVA_VALUES, " -jar -m --module ", "", "", " .jar .java ", "" },
	{ "dotnet", DOTNET_VALUES, "", "", " exec ", " .dll ", "" },
};

struct slice interpreter_base(struct slice path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (struct slice){ slash + 1, path.n - (size_t)(slash + 1 - path.p) } : path;
}

/* Is `word` one of the words of a list that is written " a b c "? */
static bool listed(const char *list, struct slice word)
{
	size_t n = strlen(list);

	if (word.n == 0 || word.n + 2 > n || memchr(word.p, ' ', word.n))
		return false;
	for (const char *at = list; (at = memmem(at, n - (size_t)(at - list), word.p, word.n)); at++)
		if (at > list && at[-1] == ' ' && at[word.n] == ' ')
			return true;
	return false;
}

static const struct interpreter *find(struct slice executable)
{
	for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++) {
		size_t n = strlen(interpreters[i].name), at = n;

		if (executable.n < n || memcmp(executable.p, interpreters[i].name, n) != 0)
			continue;
		while (at < executable.n && ((executable.p[at] >= '0' && executable.p[at] <= '9') ||
					     executable.p[at] == '.' || executable.p[at] == '-'))
			at++;
		if (at == executable.n)
			return &interpreters[i];
	}
	return NULL;
}

struct arguments {
	struct slice rest;
	bool cut;
};

/* The next argument; false at the end, and for one which may go on behind what was kept. */
static bool next(struct arguments *a, struct slice *out)
{
	const char *nul = a->rest.n ? memchr(a->rest.p, 0, a->rest.n) : NULL;

	if (!a->rest.n || (!nul && a->cut))
		return false;
	out->p = a->rest.p;
	out->n = nul ? (size_t)(nul - a->rest.p) : a->rest.n;
	a->rest.p += out->n + (nul != NULL);
	a->rest.n -= out->n + (nul != NULL);
	return true;
}

static struct slice without_suffix(struct slice name, const char *suffixes)
{
	const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;

	if (dot && dot > name.p && listed(suffixes, (struct slice){ dot, name.n - (size_t)(dot - name.p) }))
		name.n = (size_t)(dot - name.p);
	return name;
}

/* Names that every second project uses say nothing; the directory does. */
static bool is_generic(struct slice name) { return slice_is(name, "__main__") || slice_is(name, "index"); }

/* Of a path, a module (http.server), a class (com.shop.Main), a module and a class (shop/com.shop.Main). */
static struct slice script_name(const struct interpreter *in, struct slice path)
{
	struct slice base, name, parent;

	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	base = interpreter_base(path);
	name = without_suffix(base, in->suffixes);
	if (!is_generic(name) || base.n == path.n)
		return name;
	parent = interpreter_base((struct slice){ path.p, path.n - base.n - 1 });
	return parent.n && !slice_is(parent, ".") && !slice_is(parent, "..") ? parent : name;
}

/* "-um" of "-um module" is as good as "-m". Else the option itself. */
static struct slice last_of_bundle(const struct interpreter *in, struct slice option, char out[2])
{
	if (option.n < 3 || option.p[1] == '-')
		return option;
	for (size_t i = 1; i + 1 < option.n; i++)
		if (!option.p[i] || !strchr(in->flags, option.p[i]))
			return option;
	out[0] = '-';
	out[1] = option.p[option.n - 1];
	return (struct slice){ out, 2 };
}

/* The value of an option that nobody has put into the table; no script is called so. */
static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* The first argument that is no option, or what stands for it. Empty: none was found. */
static struct slice program_of(const struct interpreter *in, struct arguments *a)
{
	struct slice argument, value;
	char letters[2];

	while (next(a, &argument)) {
		if (listed(in->verbs, argument) || is_number(argument))
			continue;
		argument = last_of_bundle(in, argument, letters);
		if (argument.n == 0 || slice_is(argument, "-") || slice_is(argument, ".") ||
		    listed(in->code, argument))
			break;
		if (argument.p[0] != '-')
			return script_name(in, argument);
		if (listed(in->module, argument))
			return next(a, &value) && value.n ? script_name(in, value) : (struct slice){ "", 0 };
		if (listed(in->values, argument) && !next(a, &value))
			break;
	}
	return (struct slice){ "", 0 };
}

struct slice interpreter_program(struct slice executable, struct slice command, bool cut)
{
	struct arguments a = { command, cut };
	struct slice zero = { "", 0 }, program;
	const struct interpreter *in = find(executable);

	if (!next(&a, &zero))
		zero.n = 0;
	if (!executable.n)
		return interpreter_base(zero);
	if (!in)
		return executable;
	program = program_of(in, &a);
	return program.n ? program : executable;
}
