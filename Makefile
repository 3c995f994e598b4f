# SPDX-License-Identifier: Apache-2.0
# libbtrace: `make help` lists the targets. Local settings go into config.mak.

-include config.mak

CC      ?= cc
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
SAN     ?=
V       ?=
WERROR  ?= $(if $(CI),-Werror)
B       := build$(if $(SAN),/$(SAN))$(if $(filter clang%,$(notdir $(CC))),/clang)

Q := $(if $(V),,@)

WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef \
            -Wpointer-arith -Wwrite-strings -Wvla $(WERROR)
CFLAGS   ?= -O2 -g
ALL_C    := -std=gnu11 $(WARN) $(CFLAGS) -I. -I$(B)/gen -MMD -MP -fno-strict-aliasing \
            -fstack-protector-strong $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer,-D_FORTIFY_SOURCE=2)
SO_C     := $(ALL_C) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fexceptions
EXE_C    := $(ALL_C) -fPIE
SAN_LD   := $(if $(SAN),-fsanitize=$(SAN))
SO_LD    := -shared $(if $(SAN),,-Wl,-z,defs) -Wl,-z,text -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now \
            -Wl,-z,nodelete -Wl,--exclude-libs,ALL -Wl,-soname,libbtrace.so $(SAN_LD)
EXE_LD   := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack $(SAN_LD)
EXE_LIBS := -lyaml -lcurl -lprotobuf-c -lz

# Layers; see ARCHITECTURE.md for who may include whom (scripts/check-includes holds it).
LIB_SRC := $(wildcard shim/abi/*.c shim/http/*.c shim/*.c hooks/*.c)
ABI_SRC := $(wildcard shim/abi/*.c)
EXP_SRC := $(filter-out exporters/ctl/%,$(wildcard exporters/*/*.c))
CTL_SRC := $(wildcard exporters/ctl/*.c)
PROTO   := $(wildcard exporters/encode/*.proto)
PROTO_C := $(PROTO:exporters/encode/%.proto=$(B)/gen/%.pb-c.c)

so  = $(patsubst %.c,$(B)/so/%.o,$(1))
exe = $(patsubst %.c,$(B)/exe/%.o,$(1))

all: $(B)/libbtrace.so $(B)/btrace-exporter $(B)/btracectl ## build the library, the exporter and btracectl

$(B)/so/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $<")
	$(Q)$(CC) $(SO_C) -c -o $@ $<

$(B)/exe/%.o: %.c | $(PROTO_C)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $<")
	$(Q)$(CC) $(EXE_C) -c -o $@ $<

$(B)/gen/%.pb-c.c: exporters/encode/%.proto
	@mkdir -p $(@D)
	$(if $(Q),@echo "  PROTOC  $<")
	$(Q)protoc-c --proto_path=exporters/encode --c_out=$(B)/gen $<

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
$(B)/libexporter.a: $(call exe,$(EXP_SRC) $(ABI_SRC) $(wildcard shim/http/*.c)) $(PROTO_C:$(B)/gen/%.c=$(B)/exe/gen/%.o)
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
$(B)/unit/%: tests/unit/%.c $(B)/libctl.a $(B)/libexporter.a $(B)/libshim.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  TEST    $<")
	$(Q)$(CC) $(EXE_C) $(SAN_LD) -o $@ $< $(B)/libctl.a $(B)/libexporter.a $(B)/libshim.a -lcriterion $(EXE_LIBS)

unit: $(UNIT) ## build and run the unit tests
	@scripts/run-unit $(UNIT)

# --- fuzz targets (clang, libFuzzer); tests/fuzz/fuzz_X.c ---
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ     := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_C   := -std=gnu11 -O1 -g -I. -Ibuild/gen -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
build/fuzz/%: tests/fuzz/%.c $(wildcard shim/abi/*.c shim/http/*.c exporters/*/*.c) $(PROTO_C)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  FUZZ    $<")
	$(Q)clang $(FUZZ_C) -o $@ $< $$(sed -n 's/^.*FUZZ_SOURCES: *//p' $<) $$(sed -n 's/^.*FUZZ_LIBS: *//p' $<)

fuzzers: $(FUZZ) ## build the fuzz targets

clean: ## remove build/
	rm -rf build

help: ## show this list
	@sed -n 's/^\([a-zA-Z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | expand -t 18

.PHONY: all unit fuzzers clean help
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
