# What the control plane has at its new address, made beside what it has now. Set before, beside what control-plane.sh needs:
# `made` (what the last change put in place, by digest).

# names CERTIFICATE HEX: whether one of these is among its names.
names() {
    [ -n "$2" ] || return 1
    sed -n '/-BEGIN CERT/,/-END CERT/p' "$1" | sed '/-----/d' | base64 -d | od -An -v -tx1 | tr -d ' \n' | grep -qE "$2"
}

digest() { sha256sum <"$1" | cut -d ' ' -f 1; }

# Whether nobody has changed a file since the last change put it there: an upgrade or a renewal is not taken back.
is_made() { case " $made " in *" $(digest "$1") "*) ;; *) return 1 ;; esac; }

# is_good CERTIFICATE CA: with its key beside it, under this CA, for a month at least. Without openssl nothing is known to be.
is_good() {
    [ "$(openssl verify -CAfile "$2" "$1")" = "$1: OK" ] && openssl x509 -noout -checkend 2592000 -in "$1" >/dev/null &&
        [ "$(openssl pkey -pubout -passin pass: -in "${1%.crt}.key")" = "$(openssl x509 -noout -pubkey -in "$1")" ]
} 2>/dev/null

# kept_file FILE: `earlier` is the file as the backup has it that a rollback puts back; whether it is to be had.
kept_file() {
    case $1 in
    "$kube"/*) earlier=$restore/etc-kubernetes${1#"$kube"} ;;
    *) earlier=$restore/kubelet$1 ;;
    esac
    [ -n "$restore" ] && [ -e "$earlier" ] && is_made "$1"
}

# Everything is made beside, so that the API is away for no more than putting it in place; what is in place already is left.
# A key comes before its certificate: a pair that was cut is known by the old certificate.
stage() {
    rm -rf "$state/stage"
    mkdir -p "$state/stage"
    cp -a "$kube/pki" "$state/stage/pki"
    # What kubeadm was told at first of keys, and of how long certificates are good, where the API server tells.
    {
        cat certificates.yaml
        echo
        ask get configmap kubeadm-config -n kube-system -o 'jsonpath={.data.ClusterConfiguration}' 2>/dev/null |
            sed -nE '/^(encryptionAlgorithm|certificateValidityPeriod): /p'
    } >"$state/stage/certificates.yaml"
    for name in apiserver etcd/server etcd/peer; do
        certificate=$kube/pki/$name.crt
        [ -e "$certificate" ] || continue
        if names "$certificate" "$new_name" && ! names "$certificate" "$stale_names"; then continue; fi
        case $name in etcd/*) ca=$kube/pki/etcd/ca.crt ;; *) ca=$kube/pki/ca.crt ;; esac
        if kept_file "$certificate" && names "$earlier" "$new_name" && is_good "$earlier" "$ca"; then
            put_later "${earlier%.crt}.key" "$kube/pki/$name.key"
            put_later "$earlier" "$certificate"
            continue
        fi
        rm -f "$state/stage/pki/$name.crt" "$state/stage/pki/$name.key"
        (umask 022; kubeadm init phase certs "$(printf '%s' "$name" | tr / -)" --config "$state/stage/certificates.yaml")
        put_later "$state/stage/pki/$name.key" "$kube/pki/$name.key"
        put_later "$state/stage/pki/$name.crt" "$certificate"
    done
    { find "$kube" \( -path "$kube/pki" -o -path "$kube/tmp" \) -prune -o -type f -size -2048 -print; kubelet_files; } |
        while read -r file; do
            is_stale "$file" || continue
            if kept_file "$file" && ! is_stale "$earlier"; then
                put_later "$earlier" "$file"
                continue
            fi
            mkdir -p "$state/stage/files${file%/*}"
            cp -p "$file" "$state/stage/files$file"
            sed -E "$moves" "$file" >"$state/stage/files$file"
            put_later "$state/stage/files$file" "$file"
        done
    # A rollback, or its second try, goes by what the change before it has made.
    if [ -z "$restore" ] && [ -e "$state/stage/list" ]; then
        made="$made $(cut -f 1 "$state/stage/list" | while read -r from; do digest "$from"; done | tr '\n' ' ')"
    fi
}
put_later() { printf '%s\t%s\n' "$1" "$2" >>"$state/stage/list"; }
