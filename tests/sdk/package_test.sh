#!/usr/bin/env bash
# package_test.sh ROOT BUILD CC CXX FLAGS: plugins are built outside of the tree, with find_package(Leasehold)
# from the build directory and from an install prefix. FLAGS: what the fake host was built with and a
# program that links it needs too (sanitizers). Prints TAP.
set -u
root=$1 build=$2 cc=$3 cxx=$4 flags=$5
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
number=0
failed=0

check() { # NAME COMMAND...: runs the command; shows its output when it fails
    local name=$1
    shift
    number=$((number + 1))
    if "$@" > "$work/log" 2>&1; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        sed 's/^/# /' "$work/log"
        failed=1
    fi
}

# Builds the project in SOURCE.
build_with() { # PREFIX SOURCE DIR
    local warnings="-Wall -Wextra -Werror"
    env -u CFLAGS -u CXXFLAGS -u LDFLAGS CC="$cc" CXX="$cxx" cmake -S "$2" -B "$3" \
        "-DCMAKE_PREFIX_PATH=$1" "-DCMAKE_C_FLAGS=$warnings $flags" \
        "-DCMAKE_CXX_FLAGS=$warnings $flags" && cmake --build "$3"
}

exports_two() { # FILE
    [ "$(nm -D --defined-only "$1" | awk '{print $3}' | sort | tr '\n' ' ')" = "lh_plugin reconcile_async " ]
}

has_note() { # FILE ID
    readelf -p .note.leasehold "$1" | grep -q "\"id\": \"$2\""
}

# Must fail, and say this.
fails_with() { # TEXT COMMAND...
    local text=$1
    shift
    if "$@" > "$work/out" 2>&1; then
        echo "it was built"
        return 1
    fi
    cat "$work/out"
    tr -s '\n ' ' ' < "$work/out" | grep -qF "$text"
}

# A project of its own with the sources of hello.
project() { # NAME LINES-OF-CMAKE [LANGUAGE]
    mkdir -p "$work/$1"
    cp "$root/examples/hello/hello.c" "$root/examples/website/manifest.json" "$work/$1/"
    {
        echo 'cmake_minimum_required(VERSION 3.25)'
        echo "project(own LANGUAGES ${3:-C})"
        echo 'find_package(Leasehold 0.1 REQUIRED)'
        echo "$2"
    } > "$work/$1/CMakeLists.txt"
}

echo "1..18"
check "installs the SDK" cmake --install "$build" --prefix "$prefix" --component sdk
for from in "$build" "$prefix"; do
    [ "$from" = "$build" ] && where="the build directory" || where="the install prefix"
    out=$work/out-$(basename "$from")
    check "builds hello from $where" build_with "$from" "$root/examples/hello" "$out/hello"
    check "builds website from $where" build_with "$from" "$root/examples/website" "$out/website"
done
check "exports two symbols and no more" exports_two "$out/website/website.so"
check "carries the manifest of LH_MANIFEST_JSON" has_note "$out/hello/hello.so" hello
check "carries the manifest of a file" has_note "$out/website/website.so" website
strip "$out/website/website.so"
check "keeps the manifest when it is stripped" has_note "$out/website/website.so" website

project gc 'lh_add_plugin(own SOURCES hello.c)
target_compile_options(own PRIVATE -O2 -flto -ffunction-sections -fdata-sections)
target_link_options(own PRIVATE -flto LINKER:--gc-sections)'
[[ $cc == *clang* ]] && sed -i 's/-flto//g' "$work/gc/CMakeLists.txt" # needs another linker
check "builds with LTO and --gc-sections" build_with "$prefix" "$work/gc" "$work/gc/b"
check "keeps the manifest then" has_note "$work/gc/b/own.so" hello

project both 'lh_add_plugin(own SOURCES hello.c MANIFEST manifest.json)'
check "refuses two manifests" fails_with "multiple definition of \`lh_manifest_note'" \
    build_with "$prefix" "$work/both" "$work/both/b"

project none 'file(WRITE ${CMAKE_BINARY_DIR}/empty.c "int nothing(void);int nothing(void){return 0;}")
lh_add_plugin(own SOURCES ${CMAKE_BINARY_DIR}/empty.c MANIFEST manifest.json)'
check "refuses a plugin without its symbols" fails_with "required symbol" \
    build_with "$prefix" "$work/none" "$work/none/b"

project bad 'file(WRITE ${CMAKE_BINARY_DIR}/bad.json "{\"abi\": 0,")
lh_add_plugin(own SOURCES hello.c MANIFEST ${CMAKE_BINARY_DIR}/bad.json)'
check "refuses a manifest that is no JSON" fails_with "bad.json" \
    build_with "$prefix" "$work/bad" "$work/bad/b"

project note 'lh_add_plugin(own SOURCES hello.c)'
sed -i 's/"version":/"version"/' "$work/note/hello.c"
check "refuses a manifest in a source that is no JSON" \
    fails_with "own.so: LH_MANIFEST: failed parsing json string" \
    build_with "$prefix" "$work/note" "$work/note/b"

project cxx 'lh_add_plugin(own SOURCES own.cpp MANIFEST manifest.json)' CXX
cat > "$work/cxx/own.cpp" << 'TXT'
#include <leasehold/leasehold.h>
#include <string>
struct lh_plugin { const lh_host_t *host; std::string name; };
static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *)
{
    return new lh_plugin_t{host, instance->name};
}
static void destroy(lh_plugin_t *self) { delete self; }
static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *, lh_error_t *)
{
    lh_logf(self->host, request->ctx, LH_LOG_INFO, "%s", self->name.c_str());
    return 0;
}
LH_SYNC(reconcile, host)
LH_EXPORT const lh_plugin_entry_t lh_plugin = {LH_ABI_MAJOR, sizeof(lh_plugin_entry_t), create,
                                               destroy, nullptr, nullptr, nullptr};
TXT
check "builds a plugin in C++" build_with "$prefix" "$work/cxx" "$work/cxx/b"
check "exports two symbols of it and no more" exports_two "$work/cxx/b/own.so"

project tested 'lh_add_plugin(own SOURCES hello.c)
file(WRITE ${CMAKE_BINARY_DIR}/t.c "#include <leasehold/testing.h>
int main(void) { lh_fake_t *f = lh_fake_lead(0); lh_fake_reconcile(f, 0, \"a\", \"b\");
return lh_fake_logged(f, \"a/b is gone\") == 0 || lh_fake_destroy(f) != 0; }")
lh_add_plugin_test(own_test PLUGIN own SOURCES ${CMAKE_BINARY_DIR}/t.c)
add_custom_target(run ALL COMMAND own_test)'
check "runs a test on the installed fake host" build_with "$prefix" "$work/tested" "$work/tested/b"
exit $failed
