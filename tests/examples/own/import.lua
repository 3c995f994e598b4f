-- SPDX-License-Identifier: Apache-2.0
-- Spans of its own in a program that serves nothing, by LuaJIT's FFI:
--
--	btracectl run -- luajit tests/examples/own/import.lua 3
--
-- Any language that can call C can do the same: the functions are in the process if the library is.
-- It is the same program, and does the same, without btrace.
local ffi = require("ffi")
ffi.cdef [[
typedef uint64_t btrace_span;
btrace_span btrace_begin(const char *name);
void btrace_end(btrace_span span);
void btrace_set_int(btrace_span span, const char *key, int64_t value);
btrace_span btrace_event(btrace_span span, const char *name);
void btrace_status(btrace_span span, int status, const char *message);
]]
local there = pcall(function() return ffi.C.btrace_begin end)
local OK = 1

-- Runs work(span) in a span, which ends however work does.
local function in_span(name, work)
	if not there then return work(0) end
	local span = ffi.C.btrace_begin(name)
	local good, result = pcall(work, span)
	if good then
		ffi.C.btrace_status(span, OK, nil)
	else
		ffi.C.btrace_status(span, 2, tostring(result))
	end
	ffi.C.btrace_end(span)
	if not good then error(result, 0) end
	return result
end

local function import(row)
	return in_span("import row", function(span)
		if there then ffi.C.btrace_set_int(span, "row", row) end
		return row * 2
	end)
end

local sum = in_span("import", function(span)
	local sum = 0
	for row = 1, tonumber(arg[1]) do sum = sum + import(row) end
	if there then ffi.C.btrace_event(span, "all rows are in") end
	return sum
end)
print(sum)
