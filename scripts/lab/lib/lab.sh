# One lab as a whole: its lock, its keys, its inventory.
# shellcheck shell=bash

# One script at a time changes a lab. The lock goes with the process, however it ends.
lab_lock() {
    mkdir -p "$KFLEET_LAB_DIR/run"
    exec 7>"$KFLEET_LAB_DIR/run/.$KFLEET_LAB_NAME.lock"
    flock -w 120 7 || die "another script is still changing the lab \"$KFLEET_LAB_NAME\""
}

need_built() {
    [ -e "$(stage_out host)/tree" ] || die "nothing is built yet: run $LAB_SCRIPTS/build"
}

# The keys of the workstation's user, and the password of `admin`.
lab_keys() {
    mkdir -p "$LAB_RUN"
    chmod 700 "$LAB_RUN"
    [ -e "$LAB_RUN/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C "kfleet-lab $KFLEET_LAB_NAME" -f "$LAB_RUN/id_ed25519"
    [ -e "$LAB_RUN/admin.password" ] || (umask 077 && openssl rand -hex 12 >"$LAB_RUN/admin.password")
}

lab_known_hosts() {
    local name key
    for name in $(host_names); do
        for key in "$(host_tree "$name")"/etc/ssh/ssh_host_*_key.pub; do
            printf '%s,%s %s\n' "$name" "$(host_address "$name")" "$(cut -d' ' -f1,2 "$key")"
        done
    done >"$LAB_RUN/known_hosts.new"
    mv "$LAB_RUN/known_hosts.new" "$LAB_RUN/known_hosts"
}

# The same as inventory/lab.toml in the repository, for the hosts there are, with this lab's own paths.
lab_inventory() {
    local names count
    names=$(host_names)
    count=$(wc -w <<<"$names")
    {
        cat <<TOML
[cluster]
name = "lab"
kubernetes = "${LAB_KUBERNETES#v}"
pod_cidr = "10.244.0.0/16"
service_cidr = "10.96.0.0/12"
ignore_preflight_errors = ["SystemVerification"]
kubeadm_documents = ['''
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
enforceNodeAllocatable: []
''', '''
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {maxPerCore: 0}
''']

[cluster.cni]
plugin = "flannel"
images = { flannel = "docker.io/kfleet-lab/flannel:stand-in", flannel-cni-plugin = "docker.io/kfleet-lab/flannel-cni-plugin:stand-in" }

[ssh]
user = "ops"
identities = ["$LAB_RUN/id_ed25519"]
known_hosts = "$LAB_RUN/known_hosts"

[[hosts]]
name = "h1"
address = "$(host_address h1)"
role = "control-plane"
TOML
        if [ "$count" -eq 2 ]; then
            printf '\n[[hosts]]\nname = "h2"\naddress = "%s"\nrole = "worker"\ngroups = ["workers"]\n' "$(host_address h2)"
        elif [ "$count" -gt 2 ]; then
            printf '\n[[hosts]]\nname = "h[2-%d]"\naddress = "10.88.0.[12-%d]"\nrole = "worker"\ngroups = ["workers"]\n' \
                "$count" $((10 + count))
        fi
    } >"$LAB_RUN/inventory.toml.new"
    mv "$LAB_RUN/inventory.toml.new" "$LAB_RUN/inventory.toml"
}

lab_prepare() {
    settings_keep
    store_open
    mkdir -p "$LAB_STORE/run/$KFLEET_LAB_NAME"
    network_make
    lab_keys
}

# Starts hosts and returns when they can be used.
lab_start() {
    local name
    for name in "$@"; do host_start "$name"; done
    host_wait 180 "$@" # a second or two, but on a busy machine much longer
}
