#!/usr/bin/env bash
# Build the pjsua2 wheel from source into build/wheels/, once per set of inputs.
#
# Usage: image/pjsua2/build.sh            (PYTHON=... names another Python 3.11 with its headers)
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
wheels=$root/build/wheels
python=${PYTHON:-$root/.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3.11 || command -v python3)

say() { printf 'pjsua2: %s\n' "$*"; }
die() { printf 'pjsua2: %s\n' "$@" >&2; exit 1; }

inputs_hash() {
    {
        sha256sum < "$here/build.sh"; sha256sum < "$here/config_site.h"; sha256sum < "$here/pack_wheel.py"
        for patch in "$here"/patches/*.patch; do sha256sum < "$patch"; done
        uname -m; "$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))'
    } | sha256sum | cut -c1-12
}

check_tools() {
    local missing=()
    for tool in swig g++ make patch apt-get xz strip; do command -v "$tool" >/dev/null || missing+=("$tool"); done
    [ ${#missing[@]} = 0 ] || die "missing on this machine: ${missing[*]}." "Install the build packages (just setup prints the line), then run again."
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || die "$python is not Python 3.11; name one with PYTHON=..."
    [ -e "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] ||
        die "the headers of $python are missing (Debian: python3-dev)."
}

# A deb-src entry for unstable on the mirror that this machine already uses.
write_source_list() {
    local codename mirror
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    mirror=${DESKBELL_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v codename="$codename" '$1 == codename {print $2; exit}')}
    [ -n "$mirror" ] || die "this machine's apt sources name no Debian mirror for $codename." \
        "Set DESKBELL_DEBIAN_MIRROR to the address of one, then run again."
    printf 'Types: deb-src\nURIs: %s\nSuites: sid\nComponents: main\nSigned-By: %s\n' \
        "$mirror" /usr/share/keyrings/debian-archive-keyring.gpg > "$work/apt/unstable.sources"
}

private_apt() {
    # Check-Valid-Until off: a mirror's snapshot of unstable can be past its date; the pin below is what we trust.
    apt-get -qq -o Dir::Etc::sourcelist="$work/apt/unstable.sources" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
        -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User= "$@"
}

matches_pin() { [ -s "$1" ] && echo "$PJPROJECT_SHA256  $1" | sha256sum --check --status; }

fetch() {
    matches_pin "$work/pjproject.tar.xz" && return
    say "fetching pjproject $PJPROJECT_VERSION (7 MB, in Debian unstable's asterisk source)"
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    write_source_list
    private_apt update || die "apt could not read the package list of Debian unstable." \
        "The machine is off-line or its mirror lacks unstable. A copy of the file with sha256 $PJPROJECT_SHA256" \
        "as $work/pjproject.tar.xz does as well."
    local offered dsc_dir=$work/apt/source
    rm -rf "$dsc_dir"; mkdir -p "$dsc_dir"
    offered=$(private_apt source --download-only --print-uris asterisk | awk '/Xpjproject/ {print $2, $4}')
    [ "${offered##*:}" = "$PJPROJECT_SHA256" ] || die "the archive has moved on: it offers ${offered:-no pjproject component}," \
        "but PJPROJECT_SHA256 in image/pjsua2/build.sh is $PJPROJECT_SHA256." \
        "Put the pinned file at $work/pjproject.tar.xz, or change PJPROJECT_VERSION and PJPROJECT_SHA256 in" \
        "image/pjsua2/build.sh and check that every file in image/pjsua2/patches still applies and is still needed."
    (cd "$dsc_dir" && private_apt source --download-only asterisk)
    mv "$dsc_dir"/*Xpjproject.tar.xz "$work/pjproject.tar.xz"
    rm -rf "$dsc_dir"
    matches_pin "$work/pjproject.tar.xz" || die "the fetched file does not have the pinned sha256 $PJPROJECT_SHA256."
}

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
    local name=$1 log=$work/$1.log began=$SECONDS; shift
    say "$name ..."
    "$@" > "$log" 2>&1 || { tail -n 25 "$log" >&2; die "$name failed; the whole output is in $log"; }
    say "$name took $((SECONDS - began)) s"
}

configure() {
    cd "$src"
    CFLAGS="-O2 -fPIC -DNDEBUG -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wformat -Werror=format-security" \
    LDFLAGS="-Wl,-z,relro,-z,now" ./configure \
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
    # -O1: most of SWIG's glue runs once; -O2 takes a minute more and changes no figure of the callbacks.
    # shellcheck disable=SC2086  # these are lists of words
    g++ $pj_cxxflags -O1 -fno-strict-aliasing -I"$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
        -c pjsua2_wrap.cpp -o pjsua2_wrap.o
    # shellcheck disable=SC2086
    g++ -shared -Wl,-z,relro,-z,now pjsua2_wrap.o -o _pjsua2.so $pj_ldflags $pj_libs
    strip --strip-unneeded _pjsua2.so
}

key=$(inputs_hash)
version=$PJPROJECT_VERSION+deskbell.$key
if compgen -G "$wheels/pjsua2-$version-*.whl" > /dev/null; then
    say "up to date: $(basename "$wheels"/pjsua2-"$version"-*.whl)"
    exit 0
fi
check_tools
mkdir -p "$work" "$wheels"
src=$work/pjproject-$PJPROJECT_VERSION
fetch
unpack
step configure configure
step compile compile
step bind bind
rm -f "$wheels"/pjsua2-*.whl
"$python" "$here/pack_wheel.py" "$src/pjsip-apps/src/swig/python/out" "$version" "$wheels"
say "built $(basename "$wheels"/pjsua2-"$version"-*.whl)"
