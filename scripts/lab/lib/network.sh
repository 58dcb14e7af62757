# The lab's network: a namespace with a bridge. The bridge's own address is the workstation's; each host's veth joins it.
# There is no way out of it, and no address of the machine is touched.
# shellcheck shell=bash

LAB_WORKSTATION=10.88.0.1

host_address() { printf '10.88.0.%d' $((10 + ${1#h})); }

network_make() {
    [ -e "/run/netns/$LAB_NETNS" ] || ip netns add "$LAB_NETNS"
    in_network ip link set lo up
    if ! in_network ip link show br0 >/dev/null 2>&1; then
        in_network ip link add br0 type bridge
        in_network ip address add "$LAB_WORKSTATION/24" dev br0
        in_network ip link set br0 up
    fi
    # The hosts' default route ends here, with an answer. Without one, whoever tries an address outside waits for a timeout:
    # every kubelet does for 11 s at its start, looking for a cloud's metadata service.
    in_network ip route replace unreachable default
    # The machine may filter what its bridges carry; that is the hosts' own affair here.
    in_network sysctl -q -w net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=0
}

# Runs a command on the workstation's side. (Not with `ip netns exec`, which mounts a new /sys and hides the cgroups.)
in_network() { nsenter --net="/run/netns/$LAB_NETNS" -- "$@"; }

network_remove() {
    [ -e "/run/netns/$LAB_NETNS" ] || return 0
    local process tries
    # What someone started with `exec` and left running; not this script, nor who called it.
    for tries in TERM KILL; do
        for process in $(ip netns pids "$LAB_NETNS"); do
            is_ancestor "$process" || kill -"$tries" "$process" 2>/dev/null || true
        done
        [ -z "$(ip netns pids "$LAB_NETNS")" ] || sleep 0.3
    done
    ip netns delete "$LAB_NETNS"
    # `ip netns add` mounts the directory on itself, and leaves that.
    [ -n "$(ls -A /run/netns)" ] || ! mountpoint -q /run/netns || umount /run/netns || true
}

is_ancestor() {
    local process=$$
    while [ "$process" -gt 1 ]; do
        [ "$process" != "$1" ] || return 0
        process=$(sed -n 's/^PPid:\t//p' "/proc/$process/status")
    done
    return 1
}
