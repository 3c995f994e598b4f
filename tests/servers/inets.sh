#!/bin/bash
# apt: erlang-inets | the Erlang VM's own httpd, scheduler threads
. "$(dirname "$0")/common.sh"; cd "$WORK"; export HOME=$WORK
# Modules are loaded at their first use, and a request that comes meanwhile is answered with 500.
run erl -noshell -noinput -eval "
ok = application:load(inets), {ok, Modules} = application:get_key(inets, modules),
ok = code:ensure_modules_loaded(Modules),
ok = inets:start(),
{ok, _} = inets:start(httpd, [{port, $PORT}, {bind_address, {127,0,0,1}}, {server_name, \"localhost\"},
  {server_root, \"$WORK\"}, {document_root, \"$DOCROOT\"}, {modules, [mod_get, mod_head]}])."
