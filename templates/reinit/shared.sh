# What both ends of a change of address need. Set before: `stale` (a regular expression of grep's and sed's -E), `moves` (a sed
# script that puts the new address in place of the old), `new`.

# The API server and etcd are asked by nobody's proxy.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

say() { echo "[kfleet] $*"; }
note() { echo "[kfleet:note] $*"; }

# Whether a file still has the old address as a whole word; the names of images are not ours to change.
is_stale() { [ -f "$1" ] && grep -vE '^[[:space:]-]*image:' "$1" 2>/dev/null | grep -qE "$stale"; }

# What the kubelet is told of addresses beside its kubeconfig.
kubelet_files() {
    for file in /var/lib/kubelet/kubeadm-flags.env /var/lib/kubelet/config.yaml /etc/default/kubelet /etc/sysconfig/kubelet \
        /etc/systemd/system/kubelet.service.d/*.conf; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}

# put FROM TO: TO becomes a copy of FROM, whole or not at all. Hidden meanwhile: the kubelet reads what is in its directory.
put() {
    cp -p "$1" "${2%/*}/.${2##*/}.kfleet"
    mv -f "${2%/*}/.${2##*/}.kfleet" "$2"
}

# The processes of this host's pods whose namespace and name begin so, by the cgroups that every runtime gives them.
processes_of() {
    for log in /var/log/pods/"$1"*_*; do
        [ -d "$log" ] || continue
        uid=${log##*_}
        grep -lsE "pod($uid|$(printf '%s' "$uid" | tr - _))([./]|\$)" /proc/[0-9]*/cgroup | while read -r cgroup; do
            process=${cgroup#/proc/}
            process=${process%/cgroup}
            case $(cat "/proc/$process/comm" 2>/dev/null) in
            '' | pause | conmon | containerd-shim* | runc*) ;;
            *) echo "$process" ;;
            esac
        done
    done
}

# end SECONDS PROCESS…: asks them to end, and ends those that have not by then.
end() {
    tenths=$(($1 * 10))
    shift
    [ $# -gt 0 ] || return 0
    kill -TERM "$@" 2>/dev/null || :
    while [ "$tenths" -gt 0 ] && is_any_alive "$@"; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
    kill -KILL "$@" 2>/dev/null || :
}

is_any_alive() {
    for process in "$@"; do
        ! kill -0 "$process" 2>/dev/null || return 0
    done
    return 1
}

# The seconds since the boot: no clock that is set meanwhile.
uptime() {
    read -r seconds _ </proc/uptime
    echo "$seconds"
}

# within SECONDS COMMAND…: until it succeeds.
within() {
    until=$(uptime)
    until=$((${until%.*} + $1))
    shift
    until "$@"; do
        now=$(uptime)
        [ "${now%.*}" -lt "$until" ] || return 1
        sleep 0.2
    done
}

# kube-proxy's kubeconfig, as the kubelet has fetched it from the API server for its pod on this host.
proxy_configurations() {
    for file in /var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/kube-proxy/kubeconfig.conf; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}
proxy_is_told() {
    for file in $(proxy_configurations); do
        ! is_stale "$file" || return 1
    done
}

# kube-proxy reads its kubeconfig when it starts and never again. Its pod stays: there is nobody to ask for another.
restart_proxy() {
    if [ -z "$(proxy_configurations)" ]; then
        say "no kube-proxy of kubeadm's runs here"
        return 0
    fi
    if ! within 120 proxy_is_told; then
        echo "the kubelet does not fetch kube-proxy's new configuration: does it reach the API server at $new?"
        return 1
    fi
    # shellcheck disable=SC2046
    end 3 $(processes_of kube-system_kube-proxy-)
    say "kube-proxy was restarted"
}

# A pod network looks for its host's address when it starts. Its pod stays.
end_pod_network() {
    for network in kube-flannel_kube-flannel- kube-system_kube-flannel- kube-system_calico-node- calico-system_calico-node- \
        kube-system_weave-net- kube-system_canal-; do
        found=$(processes_of "$network")
        [ -n "$found" ] || continue
        # shellcheck disable=SC2086
        end 3 $found
        say "the pod network was restarted on this host"
    done
}

# reaches ADDRESS PORT: whether something takes a connection there, asked with what the host has.
reaches() {
    if command -v curl >/dev/null; then
        curl -sko /dev/null --max-time 3 "https://$(bracketed "$1"):$2/"
    elif command -v bash >/dev/null; then
        timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>/dev/null
    else
        note "whether $1:$2 is reached was not tried: there is neither curl nor bash"
    fi
}
bracketed() { case $1 in *:*) printf '[%s]' "$1" ;; *) printf '%s' "$1" ;; esac; }
