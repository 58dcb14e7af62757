# Set before: `kept`, the directory with the PKI that is taken over. Of each pair only what belongs together and is good for a
# day; kubeadm makes the others anew.
pair_is_good() {
    [ -s "$kept/$1.crt" ] && [ -s "$kept/$1.key" ] || return 1
    command -v openssl >/dev/null || return 0
    openssl x509 -noout -checkend 86400 -in "$kept/$1.crt" >/dev/null &&
        [ "$(openssl pkey -pubout -passin pass: -in "$kept/$1.key")" = "$(openssl x509 -noout -pubkey -in "$kept/$1.crt")" ]
}
mkdir -p /etc/kubernetes/pki/etcd
for name in ca front-proxy-ca etcd/ca; do
    if pair_is_good "$name" 2>/dev/null; then
        install -m 0644 "$kept/$name.crt" "/etc/kubernetes/pki/$name.crt"
        install -m 0600 "$kept/$name.key" "/etc/kubernetes/pki/$name.key"
        echo "[kfleet] $name is kept"
    elif [ "$name" = ca ]; then
        echo "error: the CA in $kept is of no use any more: nothing was made"
        exit 1
    else
        echo "[kfleet:note] $name is of no use and is made anew"
    fi
done
if [ -s "$kept/sa.key" ] && [ -s "$kept/sa.pub" ]; then
    install -m 0600 "$kept/sa.key" /etc/kubernetes/pki/sa.key
    install -m 0600 "$kept/sa.pub" /etc/kubernetes/pki/sa.pub
fi
