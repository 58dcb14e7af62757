# One host: a tree, and a systemd-nspawn that boots it.
# shellcheck shell=bash

host_tree() { printf '%s/run/%s/%s' "$LAB_STORE" "$KFLEET_LAB_NAME" "$1"; }

# The hosts that this lab has, running or not.
host_names() {
    [ -d "$LAB_STORE/run/$KFLEET_LAB_NAME" ] || return 0
    find "$LAB_STORE/run/$KFLEET_LAB_NAME" -mindepth 1 -maxdepth 1 -name 'h[0-9]*' -printf '%f\n' | sort -V
}

need_host() { [ -d "$(host_tree "$1")" ] || die "there is no host \"$1\" (have: $(host_names | xargs))"; }

# Its process 1, as the machine sees it: the one that is 1 in the first namespace below.
host_leader() {
    local process
    for process in $(cgroup_processes "$1"); do
        if grep -qsP '^NSpid:\t\d+\t1$' "/proc/$process/status"; then
            printf '%s' "$process"
            return 0
        fi
    done
    return 1
}

# Runs a command as root on a host, without its sshd.
on_host() {
    local name=$1 leader
    shift
    leader=$(host_leader "$name") || die "$name is not running"
    nsenter --target "$leader" --mount --uts --ipc --net --pid --root --wd -- \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
}

# A tree becomes a host with a name, an identity and users' keys of its own.
host_create() {
    local name=$1 tree new
    tree=$(host_tree "$name")
    new=$(dirname "$tree")/.$name.new
    tree_delete "$new"
    tree_snapshot "$(base_tree)" "$new"
    printf '%s\n' "$name" >"$new/etc/hostname"
    printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n\n::1\tlocalhost ip6-localhost ip6-loopback\n' "$name" >"$new/etc/hosts"
    printf '%s/24\n' "$(host_address "$name")" >"$new/etc/lab-address"
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$new/etc/machine-id"
    printf '\n' >>"$new/etc/machine-id"
    ssh-keygen -A -f "$new" >/dev/null
    sed -i "s/root@.*/root@$name/" "$new"/etc/ssh/ssh_host_*_key.pub
    host_authorise "$new"
    mv "$new" "$tree"
}

host_authorise() {
    local user hash
    for user in ops admin; do
        cp "$LAB_RUN/id_ed25519.pub" "$1/home/$user/.ssh/authorized_keys"
    done
    hash=$(openssl passwd -6 -in "$LAB_RUN/admin.password")
    sed -i "s|^admin:[^:]*:|admin:$hash:|" "$1/etc/shadow"
}

host_start() {
    local name=$1
    host_leader "$name" >/dev/null && return
    cgroup_kill "$name" # a half-dead one
    cgroup_make "$name"
    mkdir -p "$LAB_RUN/console"
    local binds=(--bind=/dev/kmsg) device
    [ ! -d /lib/modules ] || binds+=(--bind-ro=/lib/modules)
    # The kubelet asks what its disk is: on btrfs it looks at the device that the list of mounts names.
    device=$(findmnt -n -o SOURCE "$LAB_STORE" | cut -d'[' -f1) || true
    [[ $device != /dev/* ]] || binds+=(--bind-ro="$device")
    (
        cgroup_enter "$name"
        # A host outlives the script that started it, and must not keep its locks.
        exec 7>&- 8>&-
        exec setsid nsenter --net="/run/netns/$LAB_NETNS" -- \
            env -i PATH="$PATH" SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 \
            systemd-nspawn --quiet --boot --directory="$(host_tree "$name")" \
            --machine="$KFLEET_LAB_NAME-$name" --hostname="$name" --network-bridge=br0 \
            --register=no --keep-unit --capability=all --system-call-filter=@known \
            --link-journal=no --resolv-conf=off --timezone=off --console=read-only \
            "${binds[@]}"
    ) >"$LAB_RUN/console/$name.log" 2>&1 </dev/null &
}

# Power cut. Nothing that the host has written is lost by that: the machine's kernel has it.
host_stop() {
    cgroup_kill "$1"
    cgroup_remove "$1"
    # What nspawn would have removed itself.
    rm -f "$(dirname "$(host_tree "$1")")/.#$1.lck"
    rm -rf "/run/systemd/nspawn/propagate/$KFLEET_LAB_NAME-$1"
    in_network ip link delete "vb-$KFLEET_LAB_NAME-$1" 2>/dev/null || true
}

host_is_ready() {
    # One by one: of several units together systemctl asks only whether any is active.
    # shellcheck disable=SC2016
    on_host "$1" sh -c 'for unit in ssh firewalld containerd; do systemctl is-active -q $unit || exit 1; done
        [ -S /run/dbus/system_bus_socket ]' 2>/dev/null
}

host_wait() { # host_wait SECONDS HOST…
    local deadline=$((SECONDS + $1)) name
    shift
    for name in "$@"; do
        until (host_is_ready "$name"); do
            [ "$SECONDS" -lt "$deadline" ] || die "$name is not up; the end of its console:
$(tail -n 20 "$LAB_RUN/console/$name.log")"
            sleep 0.2
        done
    done
}
