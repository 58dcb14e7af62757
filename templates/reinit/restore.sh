# etcd goes back to a snapshot: a job that may be cut anywhere and begun again. Set before, beside what control-plane.sh and
# watchers.sh need: `snapshot` (else empty: nothing of this is done) and `id` (of this restore).

record() {
    printf 'id=%s\nbackup=%s\naside=%s\nstate=%s\n' "$id" "$backup" "$aside" "$1" >"$state/restore.new"
    mv -f "$state/restore.new" "$state/restore"
}
recorded() { sed -n "s/^$1=//p" "$state/restore" 2>/dev/null; }

# restores TOOL: whether it runs here and can do it; etcdctl 3.6 cannot any more.
restores() { ETCDCTL_API=3 "$1" snapshot restore --help 2>&1 | grep -q -- --initial-advertise-peer-urls; }

# takes_tool ROOT: the program of an image or of a container.
takes_tool() {
    for name in etcdutl etcdctl; do
        for directory in usr/local/bin usr/bin bin; do
            [ -f "$1/$directory/$name" ] || continue
            cp "$1/$directory/$name" "$state/stage/$name"
            chmod 0700 "$state/stage/$name"
            tool=$state/stage/$name
            ! restores "$tool" || return 0
        done
    done
    return 1
}

# That of etcd's own image, which is of etcd's own version, comes before that of the host.
find_tool() {
    image=$(sed -n 's/^ *image: *//p' "$kube/manifests/etcd.yaml" | head -n 1)
    if command -v ctr >/dev/null; then
        mkdir -p "$state/image"
        ctr -n k8s.io images unmount --rm "$state/image" >/dev/null 2>&1 || :
        if ctr -n k8s.io images mount "$image" "$state/image" >/dev/null 2>&1; then
            source="the image $image"
            taken=no
            ! takes_tool "$state/image" || taken=yes
            ctr -n k8s.io images unmount --rm "$state/image" >/dev/null
            rmdir "$state/image"
            [ "$taken" = no ] || return 0
        fi
    fi
    for process in $(processes_of "kube-system_etcd-$node"); do
        source="etcd's container"
        ! takes_tool "/proc/$process/root" || return 0
    done
    source="this host"
    for name in etcdutl etcdctl; do
        tool=$(command -v "$name") || continue
        ! restores "$tool" || return 0
    done
    echo "neither $image nor this host has an etcdutl or etcdctl that restores a snapshot; nothing was stopped"
    return 1
}

# Beside what etcd has, on the same file system: to exchange them are two renames. The API server goes on meanwhile.
prepare() {
    rm -rf "$made"
    set -- --name="$(etcd_flag name)" --initial-cluster="$(etcd_flag initial-cluster)" \
        --initial-advertise-peer-urls="$(etcd_flag initial-advertise-peer-urls)" --data-dir="$made"
    # So that nobody who watches from before waits for a revision that is yet to come: he is told to look anew.
    if "$tool" snapshot restore --help 2>&1 | grep -q -- --bump-revision; then
        set -- "$@" --bump-revision=1000000000 --mark-compacted
    fi
    ETCDCTL_API=3 "$tool" snapshot restore "$snapshot" "$@" >"$state/stage/said" 2>&1 || { cat "$state/stage/said"; return 1; }
    like=$data
    [ ! -d "$data/member" ] || like=$data/member
    chown -R "$(stat -c %u:%g "$like")" "$made"
    chmod "$(stat -c %a "$like")" "$made" "$made/member"
    case "$*" in
    *--bump-revision*) ;;
    *) note "${tool##*/} cannot raise etcd's revision: restart what of your own watches the API, as operators and ingress controllers do" ;;
    esac
    say "the snapshot is unpacked, by ${tool##*/} of $source"
}

# What etcd has now goes aside. Where that is done already, a host was cut between the two renames, and its etcd has begun an empty one.
exchange_data() {
    if [ -d "$made/member" ]; then
        if [ -d "$data/member" ] && [ -d "$aside" ]; then
            rm -rf "$data/member"
        elif [ -d "$data/member" ]; then
            mv "$data/member" "$aside"
        fi
        mv "$made/member" "$data/member"
    fi
    rm -rf "$made"
}

# Whether the API's own Service leads here alone: an API server of the snapshot's time stays in it until its lease has run out.
leads_here() {
    leads=$(ask get endpoints kubernetes -n default -o 'jsonpath={.subsets[*].addresses[*].ip}') && [ "$leads" = "$new" ]
}

restore_etcd() {
    backup=${snapshot%/*}
    data=$(etcd_flag data-dir)
    made=$data/.kfleet-restored
    aside=$data/member-before-$id
    if [ "$(recorded id)" = "$id" ]; then
        say "goes on where it was cut: $(recorded state)"
    else
        [ -z "$(etcd_flag wal-dir)" ] || { echo "etcd keeps its log in another place (--wal-dir), which kfleet cannot restore"; return 1; }
        rm -rf "$state/stage" "$state/away"
        is_whole "$snapshot" || { echo "$snapshot is not whole: its checksum is wrong"; return 1; }
        mkdir -p "$state/stage"
        find_tool
        prepare
        sync
        record prepared
        rm -rf "$state/stage"
    fi
    if [ "$(recorded state)" = prepared ] || ! within 60 answers; then
        swap
        record swapped
    fi
    within 240 answers_anew || { echo "the API server does not answer at $new; what etcd had before is in $aside"; return 1; }
    [ ! -e "$state/away" ] || tell_away
    etcd_member
    config_maps
    nudge_proxy
    restart_proxy
    restart_watchers
    within 60 leads_here || note "Service kubernetes leads to ${leads:-nowhere}"
    elsewhere
    rm -rf "$state/stage" "$state/cache"
    record restored
    note "etcd was restored from $snapshot"
    [ ! -d "$aside" ] || note "what etcd had before is kept in $aside"
}
