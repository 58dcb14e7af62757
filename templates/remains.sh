# Each takes away one thing, and nothing where it is gone by then.
link() { [ ! -e "/sys/class/net/$1" ] || ip link delete "$1"; }

route() { ip -4 route delete "$@" 2>/dev/null || :; }

# An address of the kernel's own tunnel, which is down again where it has no other.
address() {
  ip address delete "$2" dev "$1" 2>/dev/null || :
  [ -n "$(ip -o address show dev "$1" scope global)" ] || ip link set "$1" down
}

virtual_server() { ipvsadm -D "$1" "$2" 2>/dev/null || ! ipvsadm -Sn | grep -qF -- "-A $1 $2 "; }

# The chains of kube-proxy, flannel, calico, weave and CNI plugins with every rule that leads into them, and the rules that they add
# without a chain, those of flannel before 0.21 told by the pods' network in $2: one transaction a table, and nobody else's rule is
# touched.
rules() {
  "$1-save" | awk -v own='^((KUBE|FLANNEL|CNI|cali)-|WEAVE(-|$))' -v pods="$2" '
    function weaves(rule) {
      return rule == "-A FORWARD -o weave -m state --state NEW -j NFLOG --nflog-group 86" ||
        rule == "-A FORWARD -o weave -j DROP" || rule == "-A FORWARD -i weave ! -o weave -j ACCEPT" ||
        rule == "-A FORWARD -i weave -o weave -j ACCEPT" ||
        rule == "-A FORWARD -o weave -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    }
    function flannels(rule) {
      sub(/ --random-fully$/, "", rule)
      return rule == "-A FORWARD -s " pods " -j ACCEPT" || rule == "-A FORWARD -d " pods " -j ACCEPT" ||
        rule == "-A POSTROUTING -s " pods " -d " pods " -j RETURN" ||
        rule == "-A POSTROUTING -s " pods " ! -d 224.0.0.0/4 -j MASQUERADE" ||
        rule == "-A POSTROUTING ! -s " pods " -d " pods " -j MASQUERADE" ||
        (index(rule, "-A POSTROUTING ! -s " pods " -d ") == 1 && rule ~ / -d [0-9a-f.:]+\/[0-9]+ -j RETURN$/)
    }
    /^\*/ { table = $0; deletes = flushes = removes = "" }
    /^:/ { name = substr($1, 2); if (name ~ own) { flushes = flushes "-F " name "\n"; removes = removes "-X " name "\n" } }
    /^-A / && $2 !~ own && (/ -[jg] ((KUBE|FLANNEL|CNI|cali)-|WEAVE(-|$))/ || /--comment "flanneld (masq|forward)"/ ||
      /--comment "?cali:/ || /--comment "Block non-local access to Weave Net control port"/ || flannels($0) || weaves($0)) {
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

# One that firewalld has written as its package brings it.
as_packaged() { ! cmp -s "$1" "/usr/lib/firewalld/zones/${1##*/}" || rm -f -- "$1"; }

when_empty() { [ -L "$1" ] || rmdir -- "$1" 2>/dev/null || :; }

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
