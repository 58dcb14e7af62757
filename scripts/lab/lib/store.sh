# The trees of hosts. They lie on a btrfs of the lab's own, in a sparse file, because a snapshot of a whole host then takes
# milliseconds and no space: `up`, `save` and `restore` are made of nothing else. It is mounted only while it is needed.
# Where no btrfs can be mounted, trees are directories and a snapshot is a copy: slower, otherwise the same.
# shellcheck shell=bash

STORE_FILE=$KFLEET_LAB_DIR/store.btrfs
STORE_SIZE=60G # at most; what is not used takes no room on the disk

store_open() {
    mkdir -p "$LAB_STORE" "$KFLEET_LAB_DIR/run"
    store_lock
    touch "$KFLEET_LAB_DIR/run/.using.$$"
    if ! mountpoint -q "$LAB_STORE" && ! [ -e "$LAB_STORE/plain" ]; then
        [ -e "$STORE_FILE" ] || store_make
        # A crash of the whole machine may cost this file system, which `build` can make again: so no write barriers,
        # which etcd on three hosts would wait for at every write.
        [ -e "$LAB_STORE/plain" ] ||
            mount -t btrfs -o loop,noatime,nobarrier,discard=async "$STORE_FILE" "$LAB_STORE" ||
            die "could not mount $STORE_FILE; remove it and build again"
    fi
    mkdir -p "$LAB_STORE/run" "$LAB_STORE/saved"
    store_unlock
}

store_make() {
    rm -f "$STORE_FILE.new"
    truncate -s "$STORE_SIZE" "$STORE_FILE.new"
    if mkfs.btrfs -q --metadata single "$STORE_FILE.new" >/dev/null &&
        mount -t btrfs -o loop "$STORE_FILE.new" "$LAB_STORE" 2>/dev/null; then
        umount "$LAB_STORE"
        mv "$STORE_FILE.new" "$STORE_FILE"
    else
        rm -f "$STORE_FILE.new"
        say "no btrfs can be mounted here: hosts are copied, which is slower"
        touch "$LAB_STORE/plain"
    fi
}

# Unmounts the store unless a lab, or a script that is still running, uses it.
store_close() {
    local user used=
    store_lock
    rm -f "$KFLEET_LAB_DIR/run/.using.$$"
    for user in "$KFLEET_LAB_DIR"/run/.using.*; do
        if [ -d "/proc/${user##*.}" ]; then used=yes; else rm -f "$user"; fi
    done
    if [ -z "$used" ] && mountpoint -q "$LAB_STORE" && [ -z "$(ls -A "$LAB_STORE/run")" ]; then
        umount "$LAB_STORE" || umount --lazy "$LAB_STORE"
    fi
    store_unlock
}

store_lock() { exec 8>"$KFLEET_LAB_DIR/store.lock" && flock 8; }
store_unlock() { exec 8>&-; }

tree_create() {
    if [ -e "$LAB_STORE/plain" ]; then mkdir "$1"; else btrfs -q subvolume create "$1"; fi
}

tree_snapshot() {
    if [ -e "$LAB_STORE/plain" ]; then cp -a --reflink=auto "$1" "$2"; else btrfs -q subvolume snapshot "$1" "$2"; fi
}

tree_delete() {
    local tree
    for tree in "$@"; do
        [ -e "$tree" ] || continue
        # A tree in which someone made a subvolume cannot be deleted in one go; then file by file.
        [ -e "$LAB_STORE/plain" ] || btrfs -q subvolume delete "$tree" 2>/dev/null || true
        rm -rf --one-file-system "$tree"
    done
}

# The tree that hosts start from, as `build` named it.
base_tree() { printf '%s/%s' "$LAB_STORE" "$(cat "$(stage_out host)/tree" 2>/dev/null || echo none)"; }
