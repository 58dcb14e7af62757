# etcd, asked as the API server asks it. Set before, beside what shared.sh needs: `kube`, `state`, `way` (what etcd is asked with).

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

# Its members, a line each that begins with the member's ID.
etcd_members() {
    case $way in
    etcdctl) etcd_ctl member list ;;
    curl)
        answer=$(etcd_post cluster/member/list '{}') || return 1
        printf '%s\n' "$answer" | sed 's/{"ID":"/\n/g' | sed 1d
        ;;
    esac
}

# Another host's member would be given this one's address. Where etcd does not answer, its manifest tells.
is_alone() {
    if etcd_answers; then
        members=$(etcd_members) || { echo "etcd does not tell of its members"; return 1; }
    else
        members=$(etcd_flag initial-cluster | tr , '\n')
    fi
    count=$(printf '%s\n' "$members" | grep -c .) || :
    [ "$count" -le 1 ] || { echo "etcd has $count members: kfleet changes the address of a single control plane only"; return 1; }
}

# Whether there is room for what is put aside of etcd: a disk that runs full ends etcd itself.
has_room() {
    data=$(etcd_flag data-dir)
    [ -d "${data:-/nowhere}/member" ] || return 0
    if etcd_answers && [ -f "$data/member/snap/db" ]; then
        needed=$(($(wc -c <"$data/member/snap/db") / 1024))
    else
        needed=$(du -sk "$data/member" | cut -f 1)
    fi
    free=$(df -Pk "$state" | awk 'NR == 2 { print $4 }')
    # And for /etc/kubernetes and what is made anew.
    [ "$free" -gt $((needed + 32768)) ] && return 0
    echo "etcd's database in $data takes $((needed / 1024)) MB, and $((free / 1024)) MB are free in $state: make room there; nothing was changed"
    return 1
}

etcd_member() {
    [ "$way" != none ] || return 0
    within 30 etcd_answers || { echo "etcd does not answer"; return 1; }
    members=$(etcd_members)
    printf '%s\n' "$members" | grep -qE "$stale" || return 0
    is_alone
    peer=https://$(bracketed "$new"):2380
    member=$(printf '%s\n' "$members" | grep -E "$stale" | sed -E 's/^([0-9a-f]+).*/\1/')
    case $way in
    etcdctl) etcd_ctl member update "$member" --peer-urls="$peer" ;;
    curl) etcd_post cluster/member/update "{\"ID\":\"$member\",\"peerURLs\":[\"$peer\"]}" >/dev/null ;;
    esac
    say "etcd's member has the peer URL $peer, by $way"
}
