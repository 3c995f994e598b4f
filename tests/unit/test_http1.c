/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <glob.h>
#include <stdio.h>

#include "tests/unit/guard_page.h"
#include "tests/unit/http1_story.h"

/*
 * Runs the corpus in tests/http/: each case whole, split in two at each byte, and byte by
 * byte, every piece ending at a guard page. A case:
 *
 *	=== what_it_shows request|response [one letter an answer: p, h(EAD), c(ONNECT)]
 *	| input; the line break is not part of it; escapes \r \n \t \\ \xNN \{times:text}
 *	! unseen 500		(bytes only the kernel saw)
 *	! eof
 *	! capture a-name		(also wanted; sorted)
 *	the story (http1_story.h), one line an event; # and empty lines are nothing
 */

struct step {
	enum { STEP_BYTES, STEP_UNSEEN, STEP_EOF } kind;
	uint64_t n;
	char *bytes;
};

struct specimen {
	char name[128];
	enum http1_role role;
	char answers[64];
	struct step steps[64];
	size_t count, bytes;
	char names[8][48];
	const char *captured[8];
	uint16_t captures;
	char *expected;
	size_t expected_n;
};

static struct guard_page page;

static void append(char **text, size_t *n, const char *p, size_t len)
{
	*text = realloc(*text, *n + len + 1);
	memcpy(*text + *n, p, len);
	*n += len;
	(*text)[*n] = '\0';
}

static const char *unescape(const char *p, char **out, size_t *n);

static const char *repeat(const char *p, char **out, size_t *n)
{
	size_t times = strtoul(p, (char **)&p, 10), len = 0;
	char *text = NULL;

	for (p++; *p && *p != '}';)
		p = unescape(p, &text, &len);
	for (size_t i = 0; i < times; i++)
		append(out, n, text, len);
	free(text);
	return p + 1;
}

static const char *unescape(const char *p, char **out, size_t *n)
{
	static const char letters[] = "rnt\\", bytes[] = "\r\n\t\\";
	const char *found;
	char c;

	if (*p != '\\') {
		append(out, n, p, 1);
		return p + 1;
	}
	found = strchr(letters, p[1]);
	if (found && *found) {
		append(out, n, &bytes[found - letters], 1);
		return p + 2;
	}
	if (p[1] == '{')
		return repeat(p + 2, out, n);
	cr_assert(p[1] == 'x', "unknown escape at: %s", p);
	c = (char)strtoul((char[]){ p[2], p[3], 0 }, NULL, 16);
	append(out, n, &c, 1);
	return p + 4;
}

static void add_input(struct specimen *s, const char *line)
{
	struct step *last = s->count ? &s->steps[s->count - 1] : NULL;
	size_t n;

	if (!last || last->kind != STEP_BYTES) {
		last = &s->steps[s->count++];
		*last = (struct step){ .kind = STEP_BYTES };
	}
	for (n = (size_t)last->n; *line;)
		line = unescape(line, &last->bytes, &n);
	s->bytes += n - last->n;
	last->n = n;
}

static void add_directive(struct specimen *s, const char *line)
{
	unsigned long long n = 0;

	if (strcmp(line, "eof") == 0)
		s->steps[s->count++] = (struct step){ .kind = STEP_EOF };
	else if (sscanf(line, "capture %47s", s->names[s->captures]) == 1)
		s->captures++;
	else if (sscanf(line, "unseen %llu", &n) == 1)
		s->steps[s->count++] = (struct step){ .kind = STEP_UNSEEN, .n = n };
	else
		cr_assert_fail("unknown directive: %s", line);
	cr_assert(s->count < 63 && s->captures < 8);
}

/* Feeds pieces of at most step bytes, and none across the split. */
static void tell(struct specimen *s, size_t step, size_t split, struct story *story)
{
	size_t at = 0;

	story_init(story, s->role, s->answers);
	for (unsigned i = 0; i < s->captures; i++)
		s->captured[i] = s->names[i];
	story->options.captured = (struct http1_captured){ s->captures, s->captured };
	for (size_t i = 0; i < s->count; i++) {
		if (s->steps[i].kind == STEP_UNSEEN)
			story_unseen(story, s->steps[i].n);
		else if (s->steps[i].kind == STEP_EOF)
			story_eof(story);
		for (size_t from = 0, n; s->steps[i].bytes && from < s->steps[i].n; from += n, at += n) {
			n = s->steps[i].n - from;
			if (n > step)
				n = step;
			if (at < split && n > split - at)
				n = split - at;
			story_feed(story, guard_page_put(&page, s->steps[i].bytes + from, n), n);
		}
	}
	story_tell_body(story);
}

static bool same(struct specimen *s, size_t step, size_t split, const char *how)
{
	struct story story;
	bool ok;

	tell(s, step, split, &story);
	ok = strcmp(story.text, s->expected ? s->expected : "") == 0;
	cr_expect(ok, "%s, %s %zu: told\n%s---- expected\n%s", s->name, how, split, story.text, s->expected);
	story_release(&story);
	return ok;
}

static void run(struct specimen *s)
{
	size_t stride = s->bytes > 3000 ? 997 : 1;

	if (!same(s, SIZE_MAX, 0, "whole"))
		return;
	for (size_t split = 1; split < s->bytes; split += stride)
		if (!same(s, SIZE_MAX, split, "split at"))
			return;
	if (same(s, 1, 0, "byte by byte"))
		same(s, 7, 0, "by sevens");
}

static void finish(struct specimen *s)
{
	if (s->name[0])
		run(s);
	for (size_t i = 0; i < s->count; i++)
		free(s->steps[i].bytes);
	free(s->expected);
	memset(s, 0, sizeof(*s));
}

static void start(struct specimen *s, const char *line)
{
	char role[16] = "";

	finish(s);
	cr_assert(sscanf(line, "=== %127s %15s %63s", s->name, role, s->answers) >= 2, "bad title: %s", line);
	s->role = strcmp(role, "response") == 0 ? HTTP1_RESPONSE : HTTP1_REQUEST;
}

static unsigned run_file(const char *path)
{
	struct specimen s = { 0 };
	FILE *f = fopen(path, "r");
	unsigned cases = 0;
	char line[8192];

	cr_assert(f, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "=== ", 4) == 0) {
			start(&s, line);
			cases++;
		} else if (line[0] == '|') {
			add_input(&s, line + (line[1] ? 2 : 1));
		} else if (line[0] == '!') {
			add_directive(&s, line + 2);
		} else if (line[0] && line[0] != '#') {
			line[strlen(line)] = '\n';
			append(&s.expected, &s.expected_n, line, strcspn(line, "\n") + 1);
		}
	}
	finish(&s);
	fclose(f);
	return cases;
}

Test(http1, corpus_is_told_the_same_in_any_split)
{
	unsigned cases = 0;
	glob_t files;

	guard_page_init(&page, 1 << 20);
	cr_assert_eq(glob("tests/http/*.txt", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		cases += run_file(files.gl_pathv[i]);
	globfree(&files);
	cr_expect_gt(cases, 0);
	guard_page_release(&page);
}
