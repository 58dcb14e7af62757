# A worker follows its control plane to another address. Set before, beside what shared.sh needs: `port`, `service` (the API
# server's first Service address). Begun again after it was cut it does all of it again: what matters is that kubelet and
# kube-proxy have started after their files were written.
state=/var/lib/kfleet/reinit
(umask 077; mkdir -p "$state")
told=
[ ! -e "$state/pending" ] || told=yes
: >"$state/pending"

reaches "$new" "$port" || { echo "the API server is not reached at $new:$port from here; kubelet and files are as they were"; exit 1; }
stage=$state/stage
rm -rf "$stage" "$state/rewritten"
{ find /etc/kubernetes -path /etc/kubernetes/pki -prune -o -type f -size -2048 -print; kubelet_files; } |
    while read -r file; do
        is_stale "$file" || continue
        (umask 077; mkdir -p "$stage${file%/*}")
        cp -p "$file" "$stage$file"
        sed -E "$moves" "$file" >"$stage$file"
        put "$stage$file" "$file"
        : >"$state/rewritten"
        say "$file was rewritten"
    done
# Where it asks for a name, the kubelet finds the address by itself.
if [ -n "$told" ] || [ -e "$state/rewritten" ]; then
    sync
    systemctl daemon-reload
    systemctl restart kubelet
    say "the kubelet was restarted"
fi
rm -rf "$stage" "$state/rewritten"
# It is told by the API server: so this proves that the kubelet reaches it, too.
restart_proxy

# From within a pod, where one of its own network runs here; else from the host, whose way is the same but for the last bridge.
inside() {
    own=$(readlink /proc/self/ns/net)
    for process in $(processes_of ''); do
        network=$(readlink "/proc/$process/ns/net") || continue
        if [ "$network" != "$own" ]; then
            echo "$process"
            return 0
        fi
    done
}
service_is_reached() {
    process=$(inside)
    if [ -n "$process" ] && command -v nsenter >/dev/null && command -v curl >/dev/null; then
        nsenter --net="/proc/$process/ns/net" curl -sko /dev/null --max-time 3 "https://$(bracketed "$service"):443/"
    else
        reaches "$service" 443
    fi
}
within 60 service_is_reached || { echo "pods here do not reach the API server's Service at $service:443"; exit 1; }
say "pods here reach the API server's Service"
rm -f "$state/pending"
