# Each takes away one thing, and nothing where it is gone by then.
link() { [ ! -e "/sys/class/net/$1" ] || ip link delete "$1"; }

route() { ip -4 route delete "$@" 2>/dev/null || :; }

# The chains of kube-proxy, flannel and CNI plugins with every rule that leads into them: one transaction a table, and
# nobody else's rule is as much as read back.
rules() {
  "$1-save" | awk -v own='^(KUBE|FLANNEL|CNI)-' '
    /^\*/ { table = $0; deletes = flushes = removes = "" }
    /^:/ { name = substr($1, 2); if (name ~ own) { flushes = flushes "-F " name "\n"; removes = removes "-X " name "\n" } }
    /^-A / && $2 !~ own && (/ -[jg] (KUBE|FLANNEL|CNI)-/ || /--comment "flanneld (masq|forward)"/) {
      deletes = deletes "-D " substr($0, 4) "\n"
    }
    /^COMMIT/ && deletes flushes != "" { printf "%s\n%s%s%sCOMMIT\n", table, deletes, flushes, removes }
  ' >"$tmp"
  [ ! -s "$tmp" ] || "$1-restore" -w 20 --noflush <"$tmp" || "$1-restore" --noflush <"$tmp"
}

ipset_gone() { ipset destroy "$1" 2>/dev/null || ! ipset list -n "$1" >/dev/null 2>&1; }

nft_table() { nft delete table "$@" 2>/dev/null || ! nft list table "$@" >/dev/null 2>&1; }

whole() { rm -rf -- "$1"; }

as_user() {
  user=$1
  shift
  runuser -u "$user" -- "$@" 2>/dev/null || :
}

when_empty() { [ -L "$1" ] || rmdir -- "$1" 2>/dev/null || :; }

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
