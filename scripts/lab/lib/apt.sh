# Debian packages from the machine's own mirrors, without touching the machine's apt configuration.
# shellcheck shell=bash

# Installs what is missing of the packages named on standard input as COMMAND-OR-FILE PACKAGE lines.
install_missing() {
    local probe package missing=()
    while read -r probe package; do
        case $probe in
            /*) [ -e "$probe" ] || missing+=("$package") ;;
            *) command -v "$probe" >/dev/null || missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing: ${missing[*]}"
    # Indexes may never have been fetched, or be too old for the mirror: one update, then install.
    if ! {
        apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
    } >"$KFLEET_LAB_DIR/apt.log" 2>&1; then
        tail -n 20 "$KFLEET_LAB_DIR/apt.log" >&2
        die "could not install ${missing[*]}"
    fi
}

# The machine's Debian archives as one-line sources of the given type (deb or deb-src).
# shellcheck disable=SC2016 # apt's own placeholders
debian_sources() {
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v type="$1" '$1 == "Debian" {
            print type " [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $2, $3, $4 }' | sort -u
}

# The machine's settings for fetching (proxy, a frozen mirror's dates, …), for an apt that does not read its files.
debian_acquire_options() {
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Max-|Retries|Languages)' || true
}

# Fetches and unpacks a source package into the current directory.
debian_source() {
    local apt=$PWD/.apt
    mkdir -p "$apt/lists/partial" "$apt/empty"
    debian_sources deb-src >"$apt/sources.list"
    local options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache::srcpkgcache=" -o "Dir::Cache::pkgcache=" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    apt-get "${options[@]}" source "$1"
    rm -rf "$apt"
}

# debian_tarball FILE PACKAGE…: a small Debian 12 with these packages, as a tar file.
# shellcheck disable=SC2016 # the hook's own $1
debian_tarball() {
    local file=$1 work packages
    shift
    packages=$(IFS=,; printf '%s' "$*")
    work=$(mktemp -d "$KFLEET_LAB_DIR/debian.XXXXXX")
    debian_sources deb >"$work/sources.list"
    debian_acquire_options >"$work/acquire.conf"
    mkdir "$work/tmp"
    # Documentation and translations are half of the files of a small system.
    TMPDIR=$work/tmp mmdebstrap --mode=root --variant=minbase --format=tar \
        --aptopt="$work/acquire.conf" --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --include="$packages" \
        --customize-hook='rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/hostname" "$1/etc/resolv.conf"' \
        bookworm "$file" "$work/sources.list"
    rm -rf "$work"
}
