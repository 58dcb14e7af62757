# A cgroup of its own for each host, in every hierarchy: what a host may manage, and by which all of it can be found and
# killed, whatever state it is in. Written for cgroup v1 (and v1 with the unified hierarchy beside it). The path for a
# machine that has only v2 is as the documentation has it, but has not been tried.
# shellcheck shell=bash

cgroup_hierarchies() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        printf '%s\n' /sys/fs/cgroup
    else
        find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d
    fi
}

cgroup_name() { printf 'kfleet-%s/%s' "$KFLEET_LAB_NAME" "$1"; }

cgroup_make() { # cgroup_make HOST
    local hierarchy group part
    for hierarchy in $(cgroup_hierarchies); do
        group=$hierarchy
        for part in "kfleet-$KFLEET_LAB_NAME" "$1"; do
            # v2: children may only use the controllers that their parent hands down.
            if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
                tr ' ' '\n' <"$group/cgroup.controllers" | while read -r controller; do
                    echo "+$controller" >"$group/cgroup.subtree_control" 2>/dev/null || true
                done
            fi
            group=$group/$part
            mkdir -p "$group"
            # v1: a new cpuset is empty, and no process can enter it.
            if [ -e "$group/cpuset.cpus" ] && [ -e "$hierarchy/cgroup.procs" ] && [ "${hierarchy##*/}" = cpuset ]; then
                cat "$hierarchy/cpuset.cpus" >"$group/cpuset.cpus"
                cat "$hierarchy/cpuset.mems" >"$group/cpuset.mems"
            fi
        done
    done
}

# Moves the calling shell into a host's cgroups.
cgroup_enter() {
    local hierarchy
    for hierarchy in $(cgroup_hierarchies); do
        echo "$BASHPID" >"$hierarchy/$(cgroup_name "$1")/cgroup.procs"
    done
}

# Every process in a cgroup (of the whole lab without HOST) and below, in any hierarchy.
cgroup_processes() {
    local hierarchy group=kfleet-$KFLEET_LAB_NAME${1:+/$1}
    for hierarchy in $(cgroup_hierarchies); do
        [ -d "$hierarchy/$group" ] || continue
        find "$hierarchy/$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    done | sort -un
}

# Kills until nothing is left: a process may fork while it is being killed.
cgroup_kill() {
    local processes deadline=$((SECONDS + 30))
    while processes=$(cgroup_processes "${1:-}") && [ -n "$processes" ]; do
        # shellcheck disable=SC2086
        kill -KILL $processes 2>/dev/null || true
        cgroup_thaw "${1:-}"
        [ "$SECONDS" -lt "$deadline" ] || die "still alive after 30 s: $(xargs <<<"$processes")"
        sleep 0.05
    done
}

cgroup_remove() {
    local hierarchy group=kfleet-$KFLEET_LAB_NAME${1:+/$1}
    for hierarchy in $(cgroup_hierarchies); do
        [ -d "$hierarchy/$group" ] || continue
        # A cgroup stays busy for a moment after its last process is gone.
        for _ in $(seq 50); do
            find "$hierarchy/$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.05
        done
        [ ! -d "$hierarchy/$group" ] || die "could not remove $hierarchy/$group"
    done
}

cgroup_freezer_write() { # cgroup_freezer_write HOST-or-nothing v1-word v2-word
    local group=kfleet-$KFLEET_LAB_NAME${1:+/$1}
    if [ -e "/sys/fs/cgroup/freezer/$group/freezer.state" ]; then
        echo "$2" >"/sys/fs/cgroup/freezer/$group/freezer.state"
    elif [ -e "/sys/fs/cgroup/$group/cgroup.freeze" ]; then
        echo "$3" >"/sys/fs/cgroup/$group/cgroup.freeze"
    fi
}

cgroup_thaw() { cgroup_freezer_write "${1:-}" THAWED 0 2>/dev/null || true; }

cgroup_freeze() {
    cgroup_freezer_write "${1:-}" FROZEN 1
    local group=kfleet-$KFLEET_LAB_NAME${1:+/$1} tries=0
    while [ "$(cat "/sys/fs/cgroup/freezer/$group/freezer.state" 2>/dev/null)" = FREEZING ] ||
        grep -qs '^frozen 0' "/sys/fs/cgroup/$group/cgroup.events"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || die "the hosts would not freeze"
        sleep 0.05
    done
}
