#!/usr/bin/env bash
# Build the pjsua2 wheel from source into build/wheels/, once per set of inputs.
#
# Usage: image/pjsua2/build.sh            (PYTHON=... names another Python 3.11 with its headers)
#        MACHINE=aarch64 SYSROOT=FOLDER image/pjsua2/build.sh     for another processor, into build/wheels/MACHINE;
#        FOLDER has its libraries and headers, Python's too
#
# The only packaged source of pjproject 2.17 is a component of Debian unstable's asterisk source package. It is
# fetched with the machine's own apt sources and Debian's own signature check, in a private apt state folder, so
# that nothing of the system changes. See README.md for the pin, the patches and what to do when the pin moved on.
set -euo pipefail
shopt -s nullglob

# -- the pin: change these two together, see README.md -------------------------------------------------------
PJPROJECT_VERSION=2.17
PJPROJECT_SHA256=6860c2f7604b4eee75f38151a9ef69774eb3f0c5286fc1d14bc1db2dc5a9e8aa

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/pjsua2
machine=${MACHINE:-}
wheels=$root/build/wheels${machine:+/$machine}
sysroot=${SYSROOT:+--sysroot=$SYSROOT}
tools=${machine:+$machine-linux-gnu-}
python=${PYTHON:-$root/.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3.11 || command -v python3)

say() { printf 'pjsua2: %s\n' "$*"; }
die() { printf 'pjsua2: %s\n' "$@" >&2; exit 1; }

inputs_hash() {
    {
        sha256sum < "$here/build.sh"; sha256sum < "$here/config_site.h"; sha256sum < "$here/pack_wheel.py"
        for patch in "$here"/patches/*.patch; do sha256sum < "$patch"; done
        echo "${machine:-$(uname -m)}"
    } | sha256sum | cut -c1-12
}

check_tools() {
    local missing=()
    for tool in swig "${tools}g++" make patch apt-get xz "${tools}strip"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
    [ ${#missing[@]} = 0 ] || die "missing on this machine: ${missing[*]}." "Install the build packages (just setup prints the line), then run again."
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || die "$python is not Python 3.11; name one with PYTHON=..."
    [ -e "$(headers)/Python.h" ] || die "the headers of $python are missing (Debian: python3-dev)."
}

headers() {
    if [ -n "$machine" ]; then echo "$SYSROOT/usr/include/python3.11"; return; fi
    "$python" -c 'import sysconfig; print(sysconfig.get_path("include"))'
}

# shellcheck source=image/pjsua2/fetch.sh
. "$here/fetch.sh"  # not part of the key: the pin is

unpack() {
    say "unpacking, with our patches"
    rm -rf "$src"; mkdir -p "$src"
    tar -xJf "$work/pjproject.tar.xz" -C "$src" --strip-components=1
    [ -e "$src/pjmedia/src/pjmedia-audiodev/bdimad_dev.c" ] || : > "$src/pjmedia/src/pjmedia-audiodev/bdimad_dev.c"
    cp "$here/config_site.h" "$src/pjlib/include/pj/config_site.h"
    for patch in "$here"/patches/*.patch; do
        patch --quiet -d "$src" -p1 < "$patch" || die "$patch does not apply to pjproject $PJPROJECT_VERSION."
    done
}

step() { # step NAME COMMAND...: one progress line; the output goes to a log, and its end is shown on failure
    local name=$1 log=$work/$1${machine:+-$machine}.log began=$SECONDS; shift
    say "$name ..."
    "$@" > "$log" 2>&1 || { tail -n 25 "$log" >&2; die "$name failed; the whole output is in $log"; }
    say "$name took $((SECONDS - began)) s"
}

configure() {
    cd "$src"
    CFLAGS="$sysroot -O2 -fPIC -DNDEBUG -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wformat -Werror=format-security" \
    LDFLAGS="$sysroot -Wl,-z,relro,-z,now" ./configure ${machine:+--host="$machine-linux-gnu" --with-ssl="$SYSROOT/usr"} \
        --disable-sound --disable-video --disable-libwebrtc --disable-libyuv --disable-speex-aec --disable-libwebrtc-aec3 \
        --disable-v4l2 --disable-openh264 --disable-vpx --disable-ffmpeg --disable-sdl --disable-ilbc-codec \
        --disable-g7221-codec --disable-resample --enable-speex-resample --enable-epoll \
        --with-external-speex --with-external-srtp --with-external-gsm
}

compile() { cd "$src"; make dep; make -j"$(nproc)" lib; }

# What pjproject's own swig/python/Makefile and setup.py do, without needing setuptools.
bind() {
    cd "$src/pjsip-apps/src/swig"
    local includes=(-I../../../pjlib/include -I../../../pjlib-util/include -I../../../pjmedia/include
                    -I../../../pjsip/include -I../../../pjnath/include)
    mkdir -p python/out
    swig "${includes[@]}" -w312 -threads -c++ -python -outdir python/out -o python/out/pjsua2_wrap.cpp pjsua2.i
    cd python/out
    local variables; variables=$(make -s -f - -C "$src" print <<'MK'
include build.mak
print:
	@echo 'pj_cxxflags="$(PJ_CXXFLAGS)"; pj_ldflags="$(PJ_LDXXFLAGS)"; pj_libs="$(PJ_LDXXLIBS)"'
MK
)
    local pj_cxxflags pj_ldflags pj_libs; eval "$variables"
    # -O1: most of SWIG's glue runs once, and -O2 doubles the longest step (43 s to 83 s of one core, x86).
    # shellcheck disable=SC2086  # these are lists of words
    "${tools}g++" $pj_cxxflags -O1 -fno-strict-aliasing -I"$(headers)" \
        -c pjsua2_wrap.cpp -o pjsua2_wrap.o
    # shellcheck disable=SC2086
    "${tools}g++" $sysroot -shared -Wl,-z,relro,-z,now pjsua2_wrap.o -o _pjsua2.so $pj_ldflags $pj_libs
    "${tools}strip" --strip-unneeded _pjsua2.so
    # configure goes on without what it does not find.
    local library
    for library in libssl libsrtp2 libopus libspeexdsp; do
        readelf -d _pjsua2.so | grep -q "NEEDED.*$library\." || { echo "$library is not in it"; return 1; }
    done
}

key=$(inputs_hash)
version=$PJPROJECT_VERSION+deskbell.$key
if compgen -G "$wheels/pjsua2-$version-*.whl" > /dev/null; then
    say "up to date: $(basename "$wheels"/pjsua2-"$version"-*.whl)"
    exit 0
fi
check_tools
mkdir -p "$work" "$wheels"
exec 9> "$work/lock"
flock --nonblock 9 || die "another build of pjsua2 runs in $work: wait for it, then run again."
src=$work/pjproject-$PJPROJECT_VERSION${machine:+-$machine}
fetch
unpack
step configure configure
step compile compile
step bind bind
rm -f "$wheels"/pjsua2-*.whl
"$python" "$here/pack_wheel.py" "$src/pjsip-apps/src/swig/python/out" "$version" "$wheels" "${machine:-$(uname -m)}"
say "built $(basename "$wheels"/pjsua2-"$version"-*.whl)"
