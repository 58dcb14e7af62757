# The control plane moves to another address: a job that may be cut anywhere and begun again. Set before, beside what
# shared.sh needs: `olds`, `stale_names` and `new_name` (the old and the new address as they stand in a certificate, in hex),
# `restore` (the backup that a rollback puts back; else empty), `snapshot` (of etcd, where restore.sh is to put it back; else empty), `node`, `port`, `service` (the API server's first Service address), `users` (lines of `user:home`).
state=/var/lib/kfleet/reinit
kube=/etc/kubernetes
boot=/proc/sys/kernel/random/boot_id
kubelet_pki=/var/lib/kubelet/pki
umask 077
mkdir -p "$state"

keep() {
    printf 'from=%s\nto=%s\nbackup=%s\nrestore=%s\nmade=%s\nstate=%s\n' "$olds" "$new" "$backup" "$restore" "$made" "$1" \
        >"$state/change.new"
    mv -f "$state/change.new" "$state/change"
}
kept() { sed -n "s/^$1=//p" "$state/change" 2>/dev/null || :; }

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

back_up() {
    rm -rf "$state/half"
    trap 'rm -rf "$state/half"' EXIT
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
    trap - EXIT
    say "backup: $backup"
}

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

# What is a user's own is told and left, and so is what others sign.
elsewhere() {
    find "$kube/pki" "$kubelet_pki" \( -name '*.crt' -o -name '*-current.pem' \) 2>/dev/null | while read -r certificate; do
        names "$certificate" "$stale_names" || continue
        case $certificate in
        */kubelet-server-current.pem)
            note "the old address is in $certificate until the kubelet's request for a new one is approved: \`kubectl get csr\`, then \`kubectl certificate approve NAME\`"
            ;;
        *) note "the old address is still in: $certificate" ;;
        esac
    done
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
is_alone
made=$(kept made)
if [ "$(kept to)" = "$new" ] && [ "$(kept state)" != done ]; then
    backup=$(kept backup)
    say "goes on where it was cut: $(kept state)"
else
    # The record of the last change stays until there is a backup of this one: it is what a rollback goes by.
    rm -rf "$state/stage" "$state/away"
    backup=$state/backup-$(date -u +%Y%m%dT%H%M%SZ)
    [ -n "$restore" ] || made=
    has_room
    back_up
    keep saved
fi
# Whenever it goes on: since it was cut, somebody may have changed what it would put in place.
stage
sync
patience=60
case $(kept state) in
saved | staged)
    keep staged
    patience=0
    ;;
esac
if [ -e "$state/stage/list" ] || ! within "$patience" answers_anew; then
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
