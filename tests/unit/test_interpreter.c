/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span/interpreter.h"

#include <criterion/criterion.h>

/* The command is written with | where a NUL stands. */
static struct slice program(const char *executable, const char *command, bool cut)
{
	static char bytes[512];
	size_t n = strlen(command);

	for (size_t i = 0; i < n; i++)
		bytes[i] = command[i] == '|' ? 0 : command[i];
	return interpreter_program(slice_of(executable), (struct slice){ bytes, n }, cut);
}

Test(interpreter, programs_are_called_by_what_they_run)
{
	static const char *const rows[][3] = {
		{ "nginx", "nginx: master process nginx|", "nginx" },
		{ "php-fpm8.2", "php-fpm: master|", "php-fpm8.2" },
		{ "python3.11", "python3|/srv/shop/server.py|--port|80|", "server" },
		{ "python3.11", "python3|-u|-W|default|-X|dev|app.py|", "app" },
		{ "python3.11", "python3|-m|http.server|8000|", "http.server" },
		{ "python3.11", "python3|-um|uvicorn|app:app|", "uvicorn" },
		{ "python3.11", "python3|-Wdefault|app.py|", "app" },
		{ "python3.11", "/usr/bin/python3|/usr/local/bin/gunicorn|app:app|", "gunicorn" },
		{ "python3.11", "python3|-c|import x; x()|app.py|", "python3.11" },
		{ "python3.11", "python3|-Ic|import x|", "python3.11" },
		{ "python3.11", "python3|-|", "python3.11" },
		{ "python3.11", "python3|", "python3.11" },
		{ "python3.11", "python3|.|", "python3.11" },
		{ "python3.11", "python3|/srv/shop/|", "shop" },
		{ "python3.11", "python3|/srv/shop/__main__.py|", "shop" },
		{ "python3.11", "python3|__main__.py|", "__main__" },
		{ "python3.11", "python3|manage.py|runserver|", "manage" },
		{ "python3.11", "python3|-m|", "python3.11" },
		{ "pypy3.9", "pypy3|x.py|", "x" },
		{ "python3-config", "python3-config|x.py|", "python3-config" },
		{ "node", "node|server.js|", "server" },
		{ "node", "node|/srv/shop/index.js|", "shop" },
		{ "node", "node|./index.mjs|", "index" },
		{ "node", "node|--inspect=9229|-r|dotenv/config|--max-old-space-size=100|app.cjs|", "app" },
		{ "node", "node|--some-new-option|16384|app.cjs|", "app" },
		{ "node", "node|-e|require('x')|", "node" },
		{ "node", "node|--|a.js|", "a" },
		{ "nodejs", "nodejs|a.min.js|", "a.min" },
		{ "deno", "deno|run|--allow-net|main.ts|", "main" },
		{ "bun", "bun|run|main.ts|", "main" },
		{ "ruby3.1", "ruby|-I|lib|-Itest|/usr/bin/puma|-p|80|", "puma" },
		{ "ruby3.1", "ruby|-e|loop {}|x.rb|", "ruby3.1" },
		{ "ruby", "ruby|config.ru|", "config" },
		{ "perl", "perl|-T|-w|-Ilib|/usr/bin/plackup|app.psgi|", "plackup" },
		{ "perl", "perl|-I|lib|app.psgi|", "app" },
		{ "php8.2", "php|-S|0.0.0.0:8000|-t|public|router.php|", "router" },
		{ "php8.2", "php|-S|0.0.0.0:8000|", "php8.2" },
		{ "php8.2", "php|-f|a/job.php|", "job" },
		{ "php8.2", "php|artisan|serve|", "artisan" },
		{ "java", "java|-Xmx1g|-cp|a.jar:b.jar|com.shop.Main|arg|", "com.shop.Main" },
		{ "java", "java|-Dx=y|-jar|/opt/shop-1.2.jar|", "shop-1.2" },
		{ "java", "java|-p|mods|-m|shop/com.shop.Main|", "com.shop.Main" },
		{ "java", "java|--module|shop|", "shop" },
		{ "java", "java|Server.java|8080|", "Server" },
		{ "java", "java|--add-opens|java.base/java.lang=ALL-UNNAMED|org.apache.Bootstrap|start|",
		  "org.apache.Bootstrap" },
		{ "dotnet", "dotnet|/app/Shop.Api.dll|", "Shop.Api" },
		{ "dotnet", "dotnet|exec|--depsfile|x.json|Shop.dll|", "Shop" },
		{ "", "/usr/sbin/lighttpd|-D|", "lighttpd" },
		{ "", "", "" },
		{ "node", "", "node" },
		{ "node", "|", "node" },
		{ "node", "node||", "node" },
		{ "a b", "python3|x.py|", "a b" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice name = program(rows[i][0], rows[i][1], false);

		cr_expect(slice_is(name, rows[i][2]), "%s: \"%.*s\", not \"%s\"", rows[i][1], (int)name.n,
			  name.p, rows[i][2]);
	}
}

Test(interpreter, argument_that_may_be_cut_is_not_relied_on)
{
	cr_expect(slice_is(program("python3", "python3|/very/long/pa", true), "python3"));
	cr_expect(slice_is(program("python3", "python3|/very/long/path.py|--o", true), "path"));
	cr_expect(slice_is(program("java", "java|-cp|a:b:c", true), "java"));
	cr_expect(slice_is(program("python3", "python3|app.py", false), "app"));
}

Test(interpreter, base_names)
{
	cr_expect(slice_is(interpreter_base(SLICE("/usr/sbin/nginx")), "nginx"));
	cr_expect(slice_is(interpreter_base(SLICE("nginx")), "nginx"));
	cr_expect(slice_is(interpreter_base(SLICE("/")), ""));
	cr_expect(slice_is(interpreter_base(SLICE("")), ""));
}
