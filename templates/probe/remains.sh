# What stays of a node when kubeadm has reset it, a line each: its kind, then which one. Its pods have addresses in $1.
remains() {
  links_of_pods
  ip -o -4 route show root "$1" | sed -E 's/ (linkdown|dead|offload|trap) ?//g; s/ *$//' | grep -vE ' dev (cni0|flannel|cali|vxlan\.calico|weave|kube-ipvs0)' |
    sed 's/^/route /'
  tunnel "$1"
  rules
  virtual_servers "$1"
  has ipset && limit 10 ipset list -n | sed -nE 's/^(KUBE-|cali[46]|weave-|weaver-)/ipset &/p'
  has nft && limit 10 nft list tables | sed -nE 's/^table ((ip|ip6) (kube-proxy|flannel-ipv[46]))$/nft-table \1/p'
  for path in /run/flannel /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/10-calico.conflist \
    /etc/cni/net.d/calico-kubeconfig /etc/cni/net.d/10-weave.conflist /var/lib/cni/flannel /var/lib/cni/networks/cbr0 \
    /var/lib/cni/cache/results/cbr0-* /var/lib/cni/results/cbr0-* /run/calico /var/lib/calico /var/log/calico /var/lib/weave /run/kubernetes; do
    [ -e "$path" ] && echo "path $path"
  done
  [ -f /etc/kubernetes/admin.conf ] && echo "admin $(digest /etc/kubernetes/admin.conf)"
  home=$(login | sed -n 2p)
  [ -n "$home" ] && [ -f "$home/.kube/config" ] && echo "kubeconfig $(digest "$home/.kube/config") $home/.kube/config"
  :
} 2>/dev/null

digest() { head -c 1048576 "$1" | sha256sum | cut -c 1-64; }

# The bridge comes after what hangs on it, and Open vSwitch's datapath after what it switches.
links_of_pods() {
  for link in /sys/class/net/*; do
    name=${link##*/}
    case $name in
    cali* | vxlan.calico | vxlan-v6.calico | wireguard.cali | wg-v6.cali | vethwe* | vxlan-6784 | flannel.* | flannel-v6.* | flannel-wg | flannel-wg-v6 | kube-ipvs0) echo "interface $name" ;;
    cni0 | weave) ;;
    *)
      master=$(readlink "$link/master")
      [ "${master##*/}" = cni0 ] && echo "interface $name"
      ;;
    esac
  done
  for name in cni0 weave; do
    [ -e "/sys/class/net/$name" ] && echo "interface $name"
  done
  [ -e /sys/class/net/datapath ] && [ -e /var/lib/weave ] && echo "interface datapath"
}

# The kernel's own tunnel cannot be deleted; calico has set it up and given it an address of the pods'.
tunnel() {
  ip -o -4 addr show dev tunl0 to "$1" | sed -n 's/.* inet \([^ ]*\) .*/address tunl0 \1/p'
}

# kube-proxy's of IPVS: those on an address of its own link, and those that lead to pods. An admin's, keepalived's for one, do
# neither.
virtual_servers() {
  has ipvsadm || return
  own=$(ip -o addr show dev kube-ipvs0 | sed -n 's/.* inet6* \([^/ ]*\).*/\1/p' | tr '\n' ' ')
  limit 10 ipvsadm -Sn | awk -v pods="$1" -v own="$own" '
    function number(address, part) { split(address, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
    function host(place) { sub(/:[0-9]+$/, "", place); gsub(/[][]/, "", place); return place }
    BEGIN { split(pods, net, "/"); size = 2 ^ (32 - net[2]); split(own, list, " "); for (i in list) owned[list[i]] }
    $1 == "-A" && host($3) in owned { print $2, $3 }
    $1 == "-a" && host($5) ~ /^[0-9.]+$/ && int(number(host($5)) / size) == int(number(net[1]) / size) { print $2, $3 }
  ' | sort -u | sed 's/^/virtual-server /'
}

# kube-proxy brings its own iptables, which need not be those that the host calls by that name.
rules() {
  for tool in iptables iptables-nft iptables-legacy ip6tables ip6tables-nft ip6tables-legacy; do
    case $tool in *tables) has "$tool-nft-save" && continue ;; esac
    has "$tool-save" || continue
    chains=$(limit 10 "$tool-save" | grep -cE '^:((KUBE|FLANNEL|CNI|cali)-|WEAVE[- ])')
    [ "$chains" -gt 0 ] && echo "rules $tool $chains"
  done
}

# Its name for the answer, and its path; ~ is the home of who logged in.
place() {
  path=$2
  case $path in "~/"*) path=$(login | sed -n 2p)${path#"~"} ;; esac
  if [ -e "$path" ] || [ -L "$path" ]; then frame place "$1" there; else frame place "$1" absent; fi
}
