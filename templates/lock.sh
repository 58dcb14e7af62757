# Holds a cluster's lock on its control plane for as long as its holder is heard of. It is the kernel's flock, so nothing is
# left to tidy up, whatever ends this script; what the file says is only who holds it, or held it last.
#
# stdin: dots, and a k to put HOLDER into the file. The script ends with stdin, or PATIENCE seconds after the last byte.
# stdout: NONCE and a word. After `refused` and `free` comes a line with what the file says.
kf_lock() { # FILE NONCE PATIENCE HOLDER
    say() { printf '\n%s %s\n' "$nonce" "$1"; }
    hear() { timeout "$patience" head -c 1 9>&-; }
    file=$1 nonce=$2 patience=$3
    for tool in flock timeout; do
        command -v "$tool" >/dev/null || { echo "there is no $tool on this host" >&2; return 1; }
    done
    umask 077
    mkdir -p "${file%/*}" || return 1
    exec 9>>"$file" || return 1
    taken=0
    flock -n 9 || taken=$?
    # Anything else is a flock that could not do its work: nobody has the lock.
    [ "$taken" -le 1 ] || { echo "flock failed with exit status $taken" >&2; return 1; }
    if [ "$taken" = 1 ]; then
        say refused
        head -n 1 "$file" | head -c 4096
        echo
        return 0
    fi
    say free
    head -n 1 "$file" | head -c 4096
    echo
    while :; do
        case $(hear) in
        .) say beat ;;
        k)
            printf '%s\n' "$4" > "$file" || return 1
            say held
            ;;
        *) return 0 ;;
        esac
    done
}
