/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "exporters/session/trim.h"

/* KiB of files that are resident in this process. */
static long resident_files(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	cr_assert_not_null(f);
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssFile: %ld", &kib) != 1)
			kib = -1;
	fclose(f);
	return kib;
}

Test(trim, code_is_let_go_and_comes_back)
{
	CURL *easy = curl_easy_init();
	long before = resident_files(), after;

	cr_assert_not_null(easy);
	trim_start();
	after = resident_files();
	cr_expect_lt(after, before, "%ld and %ld KiB", before, after);
	/* what runs now has to be read again, and what was written into the libraries is still there */
	cr_expect_eq(curl_easy_setopt(easy, CURLOPT_URL, "http://localhost/"), CURLE_OK);
	cr_expect_str_eq(curl_easy_strerror(CURLE_OK), "No error");
	curl_easy_cleanup(easy);
}
