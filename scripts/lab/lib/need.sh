# Whether this machine can run the lab at all. Where it cannot, scripts say why and exit with 77, which a test driver
# reports as "left out".
# shellcheck shell=bash

leave_out() { printf '%s: the lab cannot run here: %s\n' "${0##*/}" "$*" >&2; exit 77; }

need_machine() {
    [ "$(uname -s)" = Linux ] || leave_out "it needs Linux, this is $(uname -s)"
    [ "$(id -u)" = 0 ] || leave_out "it needs root"
    [ "$(uname -m)" = x86_64 ] || leave_out "it is made for x86_64, this is $(uname -m)"
    [[ $KFLEET_LAB_NAME =~ ^[a-z][a-z0-9]{0,8}$ ]] ||
        die "KFLEET_LAB_NAME: a small letter, then at most eight small letters and digits, not \"$KFLEET_LAB_NAME\""
}

need_debian() {
    command -v apt-get >/dev/null || leave_out "it is made from Debian packages, and there is no apt-get"
    grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release || leave_out "it needs Debian 12 (bookworm)"
}

# Hosts are containers with an init of their own: they need namespaces, cgroups and a few things of the kernel.
need_kernel() {
    unshare --net --mount --pid --fork --uts --ipc true 2>/dev/null || leave_out "no new namespaces may be made"
    local module
    for module in overlay br_netfilter vxlan nf_conntrack veth loop btrfs; do
        modprobe -q "$module" 2>/dev/null || true # built in, or found missing just below
    done
    grep -qw overlay /proc/filesystems || leave_out "the kernel has no overlay file system"
    [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || leave_out "the kernel has no br_netfilter"
    ! command -v ip >/dev/null ||
        unshare --net ip link add vxlan0 type vxlan id 1 dstport 8472 dev lo 2>/dev/null ||
        leave_out "the kernel has no VXLAN"
    [ -e /dev/kmsg ] || leave_out "there is no /dev/kmsg"
    [ -w /sys/fs/cgroup ] || leave_out "/sys/fs/cgroup cannot be written"
}

# What `up` and the rest call.
need_runtime_packages() {
    install_missing <<'PACKAGES'
systemd-nspawn  systemd-container
mkfs.btrfs      btrfs-progs
ip              iproute2
nsenter         util-linux
findmnt         util-linux
modprobe        kmod
sysctl          procps
openssl         openssl
ssh             openssh-client
PACKAGES
}
