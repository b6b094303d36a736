# Part of build.sh: get pjproject's source, by way of Debian, and nothing else than the pinned file.
# shellcheck shell=bash

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
        -o APT::Update::Error-Mode=any -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User= "$@"
}

matches_pin() { [ -s "$1" ] && echo "$PJPROJECT_SHA256  $1" | sha256sum --check --status; }

fetch() {
    matches_pin "$work/pjproject.tar.xz" && return
    say "fetching pjproject $PJPROJECT_VERSION (7 MB, in Debian unstable's asterisk source)"
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    write_source_list
    private_apt update || die "apt could not read the list of Debian unstable's sources (above: why)." \
        "The machine is off-line, or its mirror lacks unstable: try again, or set DESKBELL_DEBIAN_MIRROR." \
        "A copy of pjproject's source with sha256 $PJPROJECT_SHA256 as" \
        "$work/pjproject.tar.xz does as well."
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
