/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

int main(void)
{
	fputs("btrace-exporter: started by libbtrace.so, not by hand\n", stderr);
	return 2;
}
