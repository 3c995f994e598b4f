# SPDX-License-Identifier: Apache-2.0
# libbtrace: `make help` lists the targets. Local settings go into config.mak.

-include config.mak

CC      ?= cc
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
PYTHONDIR ?= $(PREFIX)/lib/python3/dist-packages
SAN     ?=
V       ?=
WERROR  ?= $(if $(CI),-Werror)
comma   := ,
B       := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))$(if $(filter clang%,$(notdir $(CC))),/clang)

Q := $(if $(V),,@)

WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef \
            -Wpointer-arith -Wwrite-strings -Wvla $(WERROR)
CFLAGS   ?= -O2 -g
ALL_C    := -std=gnu11 $(WARN) $(CFLAGS) -I. -I$(B)/gen -MMD -MP -fno-strict-aliasing \
            -fstack-protector-strong \
            $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer,-D_FORTIFY_SOURCE=2)
# The library as one: a tenth fewer instructions a request. Only gcc, as clang would want a linker of its own.
# -O3: another fifteenth.
LTO      ?= $(if $(SAN)$(findstring clang,$(CC)),,-flto=auto -ffat-lto-objects)
SO_O     ?= $(if $(SAN),,-O3)
SO_C     := $(ALL_C) $(SO_O) $(LTO) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fexceptions
VERSION   = $(shell sed -n 's/^.define BTRACE_VERSION "\(.*\)"/\1/p' exporters/base/version.h)
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
EXE_C    := $(ALL_C) -fPIE -DBTRACE_MULTIARCH='"$(MULTIARCH)"'
SAN_LD   := $(if $(SAN),-fsanitize=$(SAN))
SO_LD    := $(if $(LTO),$(LTO) $(SO_O)) -shared $(if $(SAN),,-Wl,-z,defs) -Wl,-z,text -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now \
            -Wl,-z,nodelete -Wl,--exclude-libs,ALL -Wl,-soname,libbtrace.so $(SAN_LD)
EXE_LD   := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack $(SAN_LD)
EXE_LIBS := -lyaml -lcurl -lprotobuf-c -lz -lm

# Layers; see ARCHITECTURE.md for who may include whom (scripts/check-includes holds it).
LIB_SRC := $(wildcard shim/abi/*.c shim/http/*.c shim/*.c hooks/*.c)
ABI_SRC := $(wildcard shim/abi/*.c)
EXP_SRC := $(filter-out exporters/ctl/%,$(wildcard exporters/*/*.c))
CTL_SRC := $(wildcard exporters/ctl/*.c)
PROTO   := $(wildcard exporters/encode/*.proto)
PROTO_C := $(PROTO:exporters/encode/%.proto=$(B)/gen/%.pb-c.c)
# The page of `btracectl report`, in the order in which its scripts need each other.
REPORT    := $(addprefix exporters/ctl/report/,page.html style.css)
REPORT_JS := $(patsubst %,exporters/ctl/report/%.js,util model filter charts list waterfall main)
GEN       := $(PROTO_C) $(B)/gen/exporters/ctl/report/page.inc

so  = $(patsubst %.c,$(B)/so/%.o,$(1))
exe = $(patsubst %.c,$(B)/exe/%.o,$(1))

all: $(B)/libbtrace.so $(B)/btrace-exporter $(B)/btracectl ## build the library, the exporter and btracectl

# A .symver of the assembler's (shim/dl.h) does not survive it.
$(B)/so/hooks/real.o $(B)/so/shim/start.o: NOT_AS_ONE := -fno-lto
# Makefile: an object made with other flags than its neighbours is found out late, or never.
$(B)/so/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $<")
	$(Q)$(CC) $(SO_C) $(NOT_AS_ONE) -c -o $@ $<

$(B)/exe/%.o: %.c Makefile | $(GEN)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $<")
	$(Q)$(CC) $(EXE_C) -c -o $@ $<

$(B)/gen/%.pb-c.c: exporters/encode/%.proto
	@mkdir -p $(@D)
	$(if $(Q),@echo "  PROTOC  $<")
	$(Q)protoc-c --proto_path=exporters/encode --c_out=$(B)/gen $<

# Texts as C strings: report_html, report_style, report_script.
c_string = { echo 'static const char $(1)[] ='; sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $(2); echo ';'; }
$(B)/gen/exporters/ctl/report/page.inc: $(REPORT) $(REPORT_JS)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  TEXT    exporters/ctl/report")
	$(Q){ $(call c_string,report_html,$(word 1,$(REPORT))); $(call c_string,report_style,$(word 2,$(REPORT))); \
		$(call c_string,report_script,$(REPORT_JS)); } >$@.tmp && mv $@.tmp $@

$(B)/exe/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(EXE_C) -c -o $@ $<

$(B)/exports.map: hooks/exports.map.in hooks/hooks.def
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -I. -o $@ $<

$(B)/libbtrace.so: $(call so,$(LIB_SRC)) $(B)/exports.map
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) $(SO_LD) -Wl,--version-script=$(B)/exports.map -o $@ $(filter %.o,$^)

# Everything but the mains, so that a unit test links only what it needs.
$(B)/libexporter.a: $(call exe,$(EXP_SRC) $(ABI_SRC) $(wildcard shim/http/*.c) shim/decide.c shim/local_host.c) $(PROTO_C:$(B)/gen/%.c=$(B)/exe/gen/%.o)
	$(Q)rm -f $@; ar crs $@ $^
$(B)/libctl.a: $(call exe,$(filter-out exporters/ctl/main.c,$(CTL_SRC)))
	$(Q)rm -f $@; ar crs $@ $^
$(B)/libshim.a: $(call exe,$(filter-out shim/http/%,$(filter shim/%,$(LIB_SRC))) $(wildcard shim/http/*.c))
	$(Q)rm -f $@; ar crs $@ $^

$(B)/btrace-exporter: $(call exe,exporters/main.c) $(B)/libexporter.a
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) $(EXE_LD) -o $@ $^ $(EXE_LIBS)

$(B)/btracectl: $(call exe,exporters/ctl/main.c) $(B)/libctl.a $(B)/libexporter.a
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) $(EXE_LD) -o $@ $^ $(EXE_LIBS)

# --- unit tests: one program a module ---
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT     := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
$(B)/unit/%: tests/unit/%.c $(B)/libctl.a $(B)/libexporter.a $(B)/libshim.a $(B)/libtests.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  TEST    $<")
	$(Q)$(CC) $(EXE_C) $(SAN_LD) -o $@ $< $(B)/libtests.a $(B)/libctl.a $(B)/libexporter.a $(B)/libshim.a -lcriterion $(EXE_LIBS)

check unit: $(UNIT) ## build and run the unit tests
	@scripts/run-unit $(UNIT)

valgrind: $(UNIT) ## the unit tests under memcheck (20 minutes); UNIT="build/unit/test_x..." selects
	@scripts/run-valgrind $(UNIT)

# For servers that are sanitized as well: tests/e2e/test_sanitized.py.
sanitized-library: $(B)/libbtrace.so
tsan: ## the lock-free parts under ThreadSanitizer
	@mkdir -p build/tsan
	@for t in stress shared own; do \
		$(CC) -std=gnu11 -O1 -g -fPIE -pie $(WARN) -I. -fsanitize=thread -o build/tsan/$$t tests/tsan/$$t.c \
			$(wildcard shim/*.c shim/abi/*.c shim/http/*.c) && build/tsan/$$t || exit 1; done
san: ## the unit tests under the address and undefined behaviour sanitizers, the lock-free parts under the thread one
	@$(MAKE) --no-print-directory SAN=address,undefined unit
	@$(MAKE) --no-print-directory tsan

# --- programs that tests run (tests/tools, tests/bench), what they and unit tests share (tests/lib) ---
$(B)/libtests.a: $(call exe,$(wildcard tests/lib/*.c))
	$(Q)rm -f $@; ar crs $@ $^
TOOLS := $(patsubst tests/%.c,$(B)/%,$(wildcard tests/tools/*.c tests/bench/*.c))
tools: $(TOOLS) ## build the programs that tests run
$(TOOLS): $(B)/%: $(B)/exe/tests/%.o $(B)/libtests.a $(B)/libexporter.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD      $@")
	$(Q)$(CC) $(EXE_LD) -o $@ $^ $(EXE_LIBS)

# Small programs that benchmarks start; they link nothing of ours.
BENCH_PROGRAMS := $(B)/bench/host $(B)/bench/load $(B)/bench/paced $(B)/bench/same_clone.so $(B)/bench/still.so
$(B)/bench/%: tests/bench/programs/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_C) -o $@ $<
$(B)/bench/%.so: tests/bench/programs/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_C) -shared -fPIC -o $@ $<

bench-check: all $(BENCH_PROGRAMS) $(filter $(B)/bench/%,$(TOOLS)) ## count instructions and compare with what is recorded
	@tests/bench/counts.py
bench: all $(BENCH_PROGRAMS) $(filter $(B)/bench/%,$(TOOLS)) ## measure what tracing costs: a table, build/bench/results.json and .svg; 15 minutes
	@scripts/setup bench && tests/bench/bench.py
bench-peers: ## install what make bench compares with, from npm and PyPI: OpenTelemetry's auto-instrumentation of node and Python
	@scripts/setup bench-peers && tests/bench/peers.py --install
bench-record: all $(BENCH_PROGRAMS) $(filter $(B)/bench/%,$(TOOLS)) ## count instructions and record them for this compiler
	@tests/bench/counts.py --record

# --- fuzz targets (clang, libFuzzer); tests/fuzz/fuzz_X.c ---
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ     := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_C   := -std=gnu11 -O1 -g -I. -Ibuild/gen -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
build/fuzz/%: tests/fuzz/%.c $(wildcard shim/*.c shim/abi/*.c shim/http/*.c exporters/*/*.c tests/lib/*.[ch]) $(GEN)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  FUZZ    $<")
	$(Q)clang $(FUZZ_C) -o $@ $< $$(sed -n 's/^.*FUZZ_SOURCES: *//p' $<) $$(sed -n 's/^.*FUZZ_LIBS: *//p' $<)

fuzzers: $(FUZZ) ## build the fuzz targets

FUZZ_SECONDS ?= 60
fuzz: fuzzers ## fuzz all targets, FUZZ_SECONDS=60 all together
	@scripts/run-fuzz $(FUZZ_SECONDS) $(FUZZ)

# --- what a reviewer need not look at ---
C_SRC  := $(shell find shim hooks exporters tests/unit tests/fuzz tests/lib tests/tools tests/bench -name '*.c' 2>/dev/null | sort)
C_HDR  := $(shell find shim hooks exporters tests/unit tests/fuzz tests/lib tests/tools tests/bench -name '*.h' 2>/dev/null | sort)
C_DEF  := $(shell find shim hooks exporters -name '*.def' | sort)
TIDIED := $(patsubst %.c,build/tidy/%.ok,$(filter-out tests/%,$(C_SRC)))
TIDY_C := -std=gnu11 -I. -Ibuild/gen -DBTRACE_MULTIARCH='""'
GLIBC_MAX := 2.28

lint: check-format check-tree check-binary check-headers cppcheck tidy check-scripts ## everything that is checked without running it

check-format: ## clang-format on all files; `make format` mends
	@clang-format --dry-run $(C_SRC) $(C_HDR) 2>&1 | awk -F: '/warning|error/ && !seen[$$1]++ \
		{ print $$1 ":" $$2 ": not as clang-format has it (make format)"; bad = 1 } END { exit bad }'
format: ## run clang-format on all files
	@clang-format -i $(C_SRC) $(C_HDR)

check-tree: ## include directions, sizes, banned functions
	@scripts/check-includes $(C_SRC) $(C_HDR) $(C_DEF)
	@scripts/check-size $(C_SRC) $(C_HDR)
	@scripts/check-banned $(filter-out tests/%,$(C_SRC) $(C_HDR)) $(C_DEF)

check-binary: all ## exported symbols, glibc version, hardening, purity of what was built
	@scripts/check-symbols $(B)/libbtrace.so
	@scripts/check-glibc $(GLIBC_MAX) $(B)/libbtrace.so
	@scripts/check-hardening $(B)/libbtrace.so $(B)/btrace-exporter $(B)/btracectl
	@$(MAKE) --no-print-directory check-pure
	@scripts/check-docs

check-pure: $(call so,$(wildcard shim/http/*.c)) $(call exe,$(wildcard exporters/encode/*.c)) ## shim/http and encoders need nothing from outside
	@scripts/check-pure http $(call so,$(wildcard shim/http/*.c))
	@scripts/check-pure encode $(call exe,$(wildcard exporters/encode/*.c))

check-headers: $(GEN) ## each header compiles alone
	@for h in $(C_HDR); do echo "#include \"$$h\"" | \
		$(CC) -std=gnu11 $(WARN) -D_GNU_SOURCE -I. -I$(B)/gen -fsyntax-only -x c - || exit 1; done

cppcheck: $(GEN) ## cppcheck over the product
	@mkdir -p build/cppcheck
	@cppcheck -q -j2 --cppcheck-build-dir=build/cppcheck --std=c11 -I. -Ibuild/gen --inline-suppr --error-exitcode=1 \
		--enable=warning,performance,portability --suppress=missingIncludeSystem --suppress='*:build/gen/*' \
		--suppress=pointerOutOfBoundsCond --suppress=duplicateAssignExpression --suppress=unknownMacro --suppress=nullPointerArithmeticRedundantCheck --suppress=uninitvar \
		shim hooks exporters

tidy: $(TIDIED) ## clang-tidy, each file when it or a header of it changed
build/tidy/%.ok: %.c .clang-tidy $(GEN)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  TIDY    $<")
	$(Q)clang -MM -MP -MT $@ -MF $(@:.ok=.d) $(TIDY_C) $<
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- $(TIDY_C) 2>$(@:.ok=.log) || { cat $(@:.ok=.log); exit 1; }
	@touch $@

check-scripts:
	@shellcheck -S warning -s sh $$(grep -lE '^#!/bin/sh' scripts/*)

analyze: $(GEN) ## gcc's and clang's static analyzers over all sources (many minutes)
	@for f in $(filter-out tests/%,$(C_SRC)); do \
		$(CC) $(EXE_C) -MF /dev/null -fanalyzer -Werror -c -o /dev/null $$f || bad=1; \
		clang-tidy --quiet --checks='-*,clang-analyzer-*' --warnings-as-errors='*' $$f -- $(TIDY_C) || bad=1; \
		done; [ -z "$$bad" ]

# --- tests of the whole ---
demo: ## nginx and a Python application traced before your eyes
	@scripts/demo
e2e: all tools ## real servers under the library; K=word selects
	@tests/e2e/run.py $(if $(K),-k $(K))
matrix: all ## every server that Debian ships, plain and preloaded (minutes); writes tests/matrix/RESULTS.md
	@scripts/setup e2e matrix-all && rm -rf build/matrix
	@tests/e2e/run.py --tier all -k matrix -v; status=$$?; tests/matrix/report.py; exit $$status
receivers: all ## the real Zipkin, Jaeger and OpenTelemetry Collector
	@scripts/setup e2e receivers && tests/e2e/run.py --tier receivers -v
soak: all ## the long forms of tests; SOAK="names", scripts/soak --list shows them
	@scripts/soak $(SOAK)
test: ## everything that CI runs; TIERS="build unit" selects
	@scripts/setup build e2e && scripts/test $(TIERS)

docs: $(B)/btracectl ## manual pages, the completion for bash, and btrace.pc, into build/docs
	@packaging/man/generate $(B)/btracectl $(B)/docs
	@sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' packaging/btrace.pc.in >$(B)/docs/btrace.pc

install: all docs ## library to LIBDIR, exporter to PREFIX/libexec/btrace, btracectl to PREFIX/bin, btrace.h, .pc, .py
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PREFIX)/libexec/btrace $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(B)/libbtrace.so $(DESTDIR)$(LIBDIR)/
	install -m 755 $(B)/btrace-exporter $(DESTDIR)$(PREFIX)/libexec/btrace/
	install -m 755 $(B)/btracectl $(DESTDIR)$(PREFIX)/bin/
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $(B)/docs/*.1
	install -D -m 644 $(B)/docs/btracectl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/btracectl
	install -D -m 644 shim/btrace.h $(DESTDIR)$(PREFIX)/include/btrace.h
	install -D -m 644 $(B)/docs/btrace.pc $(DESTDIR)$(LIBDIR)/pkgconfig/btrace.pc
	install -D -m 644 packaging/python/btrace.py $(DESTDIR)$(PYTHONDIR)/btrace.py
	$(if $(DESTDIR),,-ldconfig)

deb: all docs ## a Debian package, into build/packages
	@packaging/deb/build $(B) build/packages
bundle: all docs ## a relocatable folder and its tarball, for systems without our libraries, into build/packages
	@packaging/bundle/build $(B) build/packages

roots: deb bundle ## package and bundle in empty Debian systems (root, a mirror, minutes)
	@scripts/setup e2e packages && tests/e2e/run.py --tier roots -v

clean: ## remove build/
	rm -rf build

help: ## show this list
	@sed -n 's/^\([a-z0-9 -]*\):.*## /\1\t/p' Makefile | sort | expand -t 18

.PHONY: sanitized-library bench bench-peers bench-check bench-record all tools check unit valgrind san fuzzers fuzz lint check-format format check-tree check-binary check-pure check-headers cppcheck tidy \
	check-scripts analyze docs demo e2e matrix receivers soak test install deb bundle roots clean help
.SECONDARY:
-include $(shell find $(B) build/tidy -name '*.d' 2>/dev/null)
