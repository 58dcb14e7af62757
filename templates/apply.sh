# What every script of kfleet's begins with. Contents travel as a function's arguments: no process sees them in argv.
# The API server and etcd are asked by nobody's proxy. Jobs, as `kubeadm init` is one, have systemd's environment.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# kf_write PATH MODE DIGEST CONTENTS: the file whole or not at all. MODE - keeps what is there; DIGEST - replaces anything.
kf_write() {
    path=$(readlink -f -- "$1" || printf '%s' "$1")
    dir=${path%/*}
    case $2 in
    0600) (umask 077; mkdir -p -- "${dir:-/}") ;;
    *) mkdir -p -- "${dir:-/}" ;;
    esac
    if [ "$3" != - ]; then
        have=$(sha256sum < "$path") || return 1
        if [ "${have%% *}" != "$3" ]; then
            echo "$path was changed by somebody else at $(stat -c %y -- "$path"), while kfleet was at work" >&2
            echo "nothing of theirs was overwritten: run the same command again, and it goes by what is there now" >&2
            return 1
        fi
    fi
    temp=$(mktemp "$dir/.kfleet.XXXXXX") || return 1
    if [ -e "$path" ]; then
        # Mode, owner, SELinux label and other attributes.
        cp -a --attributes-only -- "$path" "$temp" || { rm -f "$temp"; return 1; }
    else
        chmod 0644 "$temp"
    fi
    [ "$2" = - ] || chmod "$2" "$temp"
    # By cat, which has words of its own for a full disk; the shell's printf says "I/O error".
    printf '%s' "$4" | cat > "$temp" && sync -- "$temp" || { rm -f "$temp"; return 1; }
    # A file that is mounted, as /etc/hosts of a container, cannot be renamed over.
    mv -f -- "$temp" "$path" 2>/dev/null || cat "$temp" > "$path" || { rm -f "$temp"; return 1; }
    rm -f "$temp"
    ! command -v restorecon >/dev/null 2>&1 || restorecon "$path" || :
}
