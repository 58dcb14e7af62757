# Settings of the machine's one kernel that hosts share. The lab raises what many hosts need; systemd and the kubelet in
# the hosts set others. All are noted before the first lab starts and put back after the last has gone.
# shellcheck shell=bash

SETTINGS_FILE=$KFLEET_LAB_DIR/run/settings

settings_keep() {
    [ -e "$SETTINGS_FILE" ] && return
    local setting
    mkdir -p "$KFLEET_LAB_DIR/run"
    for setting in fs/inotify/max_user_instances fs/inotify/max_user_watches user/max_inotify_instances \
        user/max_inotify_watches fs/protected_fifos fs/protected_hardlinks fs/protected_regular fs/protected_symlinks \
        kernel/core_pattern kernel/core_uses_pid kernel/panic kernel/panic_on_oops kernel/pid_max kernel/printk kernel/sysrq \
        kernel/keys/root_maxbytes kernel/keys/root_maxkeys kernel/keys/maxkeys vm/max_map_count vm/overcommit_memory \
        vm/panic_on_oom vm/swappiness; do
        [ -r "/proc/sys/$setting" ] && printf '%s=%s\n' "$setting" "$(cat "/proc/sys/$setting")"
    done >"$SETTINGS_FILE.new"
    mv "$SETTINGS_FILE.new" "$SETTINGS_FILE"
    # Every systemd, containerd and kubelet watches files, and all of them are the same user.
    settings_raise fs/inotify/max_user_instances 8192
    settings_raise user/max_inotify_instances 8192
    settings_raise fs/inotify/max_user_watches 524288
    settings_raise user/max_inotify_watches 524288
}

settings_raise() {
    [ ! -e "/proc/sys/$1" ] || [ "$(cat "/proc/sys/$1")" -ge "$2" ] || echo "$2" >"/proc/sys/$1"
}

settings_restore() {
    local setting value
    [ -e "$SETTINGS_FILE" ] || return 0
    while IFS='=' read -r setting value; do
        [ "$(cat "/proc/sys/$setting")" = "$value" ] || printf '%s\n' "$value" >"/proc/sys/$setting" || true
    done <"$SETTINGS_FILE"
    rm -f "$SETTINGS_FILE"
}
