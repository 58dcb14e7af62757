# The control plane moves to another address: a job that may be cut anywhere and begun again. Set before, beside what
# shared.sh needs: `olds`, `stale_names` and `new_name` (the old and the new address as they stand in a certificate, in hex),
# `restore` (the backup that a rollback puts back; else empty), `snapshot` (of etcd, where restore.sh is to put it back; else empty), `node`, `port`, `service` (the API server's first Service address), `users` (lines of `user:home`).
state=/var/lib/kfleet/reinit
kube=/etc/kubernetes
boot=/proc/sys/kernel/random/boot_id
umask 077
mkdir -p "$state"

keep() {
    printf 'from=%s\nto=%s\nbackup=%s\nrestore=%s\nstate=%s\n' "$olds" "$new" "$backup" "$restore" "$1" >"$state/change.new"
    mv -f "$state/change.new" "$state/change"
}
kept() { sed -n "s/^$1=//p" "$state/change" 2>/dev/null; }

# By loopback and by a name that is in the certificate before and after.
ask() {
    kubectl --kubeconfig="$kube/admin.conf" --server="https://127.0.0.1:$port" --tls-server-name=kubernetes \
        --cache-dir="$state/cache" --request-timeout=5s "$@"
}
answers() { ask get --raw /readyz >/dev/null 2>&1; }
answers_anew() {
    kubectl --kubeconfig="$kube/admin.conf" --server="https://$(bracketed "$new"):$port" --request-timeout=2s \
        get --raw /readyz >/dev/null 2>&1
}

# etcd, asked as the API server asks it.
etcd_flag() { sed -n "s/^ *- --$1=//p" "$kube/manifests/etcd.yaml" 2>/dev/null | head -n 1; }
etcd_way() {
    if [ ! -e "$kube/manifests/etcd.yaml" ]; then echo none
    elif command -v etcdctl >/dev/null; then echo etcdctl
    elif command -v curl >/dev/null; then echo curl
    else echo none
    fi
}
etcd_ctl() {
    ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert="$kube/pki/etcd/ca.crt" \
        --cert="$kube/pki/apiserver-etcd-client.crt" --key="$kube/pki/apiserver-etcd-client.key" "$@"
}
etcd_post() {
    curl -sSf --max-time "${3:-10}" --cacert "$kube/pki/etcd/ca.crt" --cert "$kube/pki/apiserver-etcd-client.crt" \
        --key "$kube/pki/apiserver-etcd-client.key" -X POST -d "$2" "https://127.0.0.1:2379/v3/$1"
}
etcd_answers() {
    case $way in
    etcdctl) etcd_ctl endpoint health >/dev/null 2>&1 ;;
    curl) etcd_post maintenance/status '{}' >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

# A snapshot ends with the SHA-256 of what is before it.
etcd_snapshot() {
    case $way in
    etcdctl) etcd_ctl snapshot save "$1" >/dev/null ;;
    curl)
        etcd_post maintenance/snapshot '{}' 600 | sed -n 's/.*"blob":"\([^"]*\)".*/\1/p' | while IFS= read -r blob; do
            printf '%s' "$blob" | base64 -d
        done >"$1"
        ;;
    esac
    is_whole "$1"
}
is_whole() {
    size=$(wc -c <"$1")
    sum=$(head -c $((size - 32)) "$1" | sha256sum)
    [ "$size" -gt 32 ] && [ "${sum%% *}" = "$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \n')" ]
}

back_up() {
    rm -rf "$state/half"
    mkdir "$state/half"
    cp -a "$kube" "$state/half/etc-kubernetes"
    kubelet_files | while read -r file; do
        mkdir -p "$state/half/kubelet${file%/*}"
        cp -p "$file" "$state/half/kubelet$file"
    done
    if etcd_answers; then
        etcd_snapshot "$state/half/etcd.snapshot" || { echo "etcd's snapshot is not whole"; return 1; }
        say "etcd was asked by $way"
    fi
    sync
    mv "$state/half" "$backup"
    say "backup: $backup"
}

# names CERTIFICATE HEX: whether one of these is among its names.
names() {
    sed -n '/-BEGIN CERT/,/-END CERT/p' "$1" | sed '/-----/d' | base64 -d | od -An -v -tx1 | tr -d ' \n' | grep -qE "$2"
}

# Everything is made beside, so that the API is away for no more than putting it in place. What a backup has comes from there.
stage() {
    rm -rf "$state/stage"
    mkdir -p "$state/stage"
    cp -a "$kube/pki" "$state/stage/pki"
    cp certificates.yaml "$state/stage/certificates.yaml"
    for name in apiserver etcd/server etcd/peer; do
        certificate=$state/stage/pki/$name.crt
        [ -e "$certificate" ] || continue
        kept=${restore:-/nowhere}/etc-kubernetes/pki/$name
        if [ -e "$kept.crt" ] && names "$kept.crt" "$new_name"; then
            put_later "$kept.crt" "$kube/pki/$name.crt"
            put_later "$kept.key" "$kube/pki/$name.key"
        elif names "$certificate" "$stale_names" || ! names "$certificate" "$new_name"; then
            rm -f "$certificate" "$state/stage/pki/$name.key"
            (umask 022; kubeadm init phase certs "$(printf '%s' "$name" | tr / -)" --config "$state/stage/certificates.yaml")
            put_later "$certificate" "$kube/pki/$name.crt"
            put_later "$state/stage/pki/$name.key" "$kube/pki/$name.key"
        fi
    done
    { find "$kube" \( -path "$kube/pki" -o -path "$kube/tmp" \) -prune -o -type f -size -2048 -print; kubelet_files; } |
        while read -r file; do
            is_stale "$file" || continue
            case $file in
            "$kube"/*) kept=${restore:-/nowhere}/etc-kubernetes${file#"$kube"} ;;
            *) kept=${restore:-/nowhere}/kubelet$file ;;
            esac
            if [ -e "$kept" ] && ! is_stale "$kept"; then
                put_later "$kept" "$file"
                continue
            fi
            mkdir -p "$state/stage/files${file%/*}"
            cp -p "$file" "$state/stage/files$file"
            sed -E "$moves" "$file" >"$state/stage/files$file"
            put_later "$state/stage/files$file" "$file"
        done
}
put_later() { printf '%s\t%s\n' "$1" "$2" >>"$state/stage/list"; }

# stop_pods SECONDS PART…: of the control plane's pods on this host.
stop_pods() {
    patience=$1
    shift
    # shellcheck disable=SC2046
    end "$patience" $(for part in "$@"; do processes_of "kube-system_$part-$node"; done)
}

swap() {
    say "the control plane is stopped"
    systemctl stop kubelet
    stop_pods 1 kube-controller-manager kube-scheduler
    ! answers || [ -e "$state/away" ] || echo "$(cat "$boot") $(uptime)" >"$state/away"
    # While etcd is there the API server takes itself out of the Endpoints; then it would wait for its watchers.
    stop_pods 1 kube-apiserver
    stop_pods 5 etcd
    data=$(etcd_flag data-dir)
    if [ ! -e "$backup/etcd.snapshot" ] && [ ! -e "$backup/etcd-data" ] && [ -d "${data:-/nowhere}/member" ]; then
        rm -rf "$backup/etcd-data.half"
        cp -a "$data" "$backup/etcd-data.half"
        sync
        mv "$backup/etcd-data.half" "$backup/etcd-data"
        say "etcd did not answer: its data was copied to $backup/etcd-data"
    fi
    if [ -e "$state/stage/list" ]; then
        while IFS='	' read -r from to; do put "$from" "$to"; done <"$state/stage/list"
    fi
    [ -z "$snapshot" ] || exchange_data
    sync
    systemctl daemon-reload
    systemctl start kubelet
    say "the control plane starts at $new"
}

# For how long the API did not answer, now that it does.
tell_away() {
    read -r of_boot from <"$state/away"
    if [ "$of_boot" = "$(cat "$boot")" ]; then
        note "API away: $(awk -v from="$from" -v to="$(uptime)" 'BEGIN { printf "%.1f s", to - from }')"
    else
        note "API away: since before this host was booted"
    fi
    rm -f "$state/away"
}

etcd_member() {
    [ "$way" != none ] || return 0
    within 30 etcd_answers || { echo "etcd does not answer"; return 1; }
    peer=https://$(bracketed "$new"):2380
    case $way in
    etcdctl)
        members=$(etcd_ctl member list)
        member=$(printf '%s\n' "$members" | sed -n 1p | cut -d , -f 1)
        ;;
    curl)
        members=$(etcd_post cluster/member/list '{}')
        member=$(printf '%s' "$members" | sed -n 's/.*"members":\[{"ID":"\([0-9]*\)".*/\1/p')
        ;;
    esac
    printf '%s' "$members" | grep -qE "$stale" || return 0
    case $way in
    etcdctl) etcd_ctl member update "$member" --peer-urls="$peer" ;;
    curl) etcd_post cluster/member/update "{\"ID\":\"$member\",\"peerURLs\":[\"$peer\"]}" >/dev/null ;;
    esac
    say "etcd's member has the peer URL $peer, by $way"
}

config_maps() {
    for namespace in kube-system kube-public; do
        ask get configmaps -n "$namespace" \
            -o 'jsonpath={range .items[*]}{.metadata.name} {.data}{"\n"}{end}' >"$state/maps"
        sed 's/\\[nrt]/ /g' "$state/maps" | grep -E "$stale" | cut -d ' ' -f 1 | while read -r name; do
            within 30 move_config_map "$namespace" "$name"
            say "ConfigMap $namespace/$name was rewritten"
        done
        rm -f "$state/maps"
    done
}
# `replace` takes it only if nobody has changed it meanwhile.
move_config_map() {
    ask get configmap -n "$1" "$2" -o yaml >"$state/map" && sed -E "$moves" "$state/map" >"$state/map.new" &&
        ask replace -f "$state/map.new" >/dev/null && rm -f "$state/map" "$state/map.new"
}

# A kubelet that runs already looks at a pod's ConfigMap again within a minute and a half, or as soon as the pod changes.
nudge_proxy() {
    ask annotate pods -n kube-system -l k8s-app=kube-proxy --field-selector "spec.nodeName=$node" --overwrite \
        "kubectl.kubernetes.io/restartedAt=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/dev/null || :
}

# The VXLAN device of a flannel that started at the old address sends from there.
restart_pod_network() {
    within 30 reaches "$service" 443 || echo "$service:443 is not reached yet: the pod network may need longer"
    end_pod_network
}

# As the user itself: root follows no links in a directory that is not its own.
move_kubeconfigs() {
    printf '%s\n' "$users" | while IFS=: read -r user home; do
        [ -n "$user" ] && [ -f "$home/.kube/config" ] || continue
        export stale moves
        # shellcheck disable=SC2016
        runuser -u "$user" -- /bin/sh -c '
            grep -qE "$stale" "$1" || exit 0
            umask 077
            whole=$(readlink -f -- "$1") && new=$(mktemp "$whole.XXXXXX") || exit 1
            cp -p -- "$whole" "$new" && sed -E "$moves" "$whole" >"$new" && sync -- "$new" && mv -f -- "$new" "$whole" ||
                { rm -f -- "$new"; exit 1; }
            echo "[kfleet] $1 was rewritten"
        ' sh "$home/.kube/config" </dev/null || echo "$home/.kube/config was not rewritten"
    done
}

# What is a user's own is told and left.
elsewhere() {
    ask get configmaps -A -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.data}{"\n"}{end}' \
        >"$state/maps"
    sed 's/\\[nrt]/ /g' "$state/maps" | grep -E "$stale" | cut -d ' ' -f 1 | while read -r name; do
        note "the old address is still in: ConfigMap $name"
    done
    rm -f "$state/maps"
}

way=$(etcd_way)
if [ -n "$snapshot" ]; then
    restore_etcd
    exit 0
fi
if [ "$(kept to)" = "$new" ] && [ "$(kept state)" != done ]; then
    backup=$(kept backup)
    say "goes on where it was cut: $(kept state)"
else
    rm -rf "$state/stage" "$state/away" "$state/change"
    backup=$state/backup-$(date -u +%Y%m%dT%H%M%SZ)
    back_up
    keep saved
fi
if [ "$(kept state)" = saved ]; then
    stage
    sync
    keep staged
fi
if [ "$(kept state)" = staged ] || ! answers; then
    swap
    keep swapped
fi
within 240 answers_anew || { echo "the API server does not answer at $new"; exit 1; }
if [ -e "$state/away" ]; then
    tell_away
elif [ "$(kept state)" = swapped ]; then
    note "API away: it had not answered before"
fi
keep serving
etcd_member
config_maps
nudge_proxy
restart_proxy
restart_pod_network
move_kubeconfigs
elsewhere
rm -rf "$state/stage" "$state/cache"
keep done
note "backup: $backup"
