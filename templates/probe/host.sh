firewall() {
  has firewall-cmd || return
  later firewall-runtime limit 30 firewall-cmd --list-all-zones
  later firewall-permanent limit 30 firewall-cmd --permanent --list-all-zones
  later firewall-default limit 30 firewall-cmd --get-default-zone
  later firewall-version limit 30 firewall-cmd --version
}

programs() {
  has kubeadm && later kubeadm limit 30 kubeadm version -o short
  has kubelet && later kubelet limit 30 kubelet --version
  has kubectl && later kubectl limit 30 kubectl version --client -o json
  has crictl && now crictl true
}

units() {
  has systemctl || return
  later units limit 30 systemctl show -p Names -p LoadState -p ActiveState -p UnitFileState "$@"
}

# Registries' credentials stay on the host.
containerd_config() {
  if ! limit 10 containerd config dump >"$tmp/containerd.toml"; then
    cat /etc/containerd/config.toml >"$tmp/containerd.toml" || return
  fi
  grep -viE '(auth|password|username|token|secret|header)[^=]*=' "$tmp/containerd.toml"
}

crio_config() {
  limit 10 crio config >"$tmp/crio.conf" || cat /etc/crio/crio.conf /etc/crio/crio.conf.d/*.conf >"$tmp/crio.conf"
  grep -E '^[#[:space:]]*(cgroup_manager|pause_image)[[:space:]]*=' "$tmp/crio.conf"
}

docker_cgroup_driver() {
  limit 5 docker info -f '{{.CgroupDriver}}' ||
    sed -n 's/.*native\.cgroupdriver=\([a-z]*\).*/\1/p' /etc/docker/daemon.json
}

runtimes() {
  if has containerd; then
    later containerd limit 10 containerd --version
    later containerd-config containerd_config
  fi
  if has docker; then
    later docker limit 10 docker --version
    later docker-cgroup-driver docker_cgroup_driver
  fi
  if has crio; then
    later crio limit 10 crio --version
    later crio-config crio_config
  fi
}

sockets() {
  for socket in /run/containerd/containerd.sock /var/run/docker.sock /run/cri-dockerd.sock /var/run/crio/crio.sock; do
    [ -S "$socket" ] && echo "$socket"
  done
}

os_release() { cat /etc/os-release || cat /usr/lib/os-release; }

system() {
  now hostname uname -n
  now kernel uname -r
  now arch uname -m
  now os-release os_release
  now machine-id cat /etc/machine-id
  now product-uuid cat /sys/class/dmi/id/product_uuid
  now swaps cat /proc/swaps
  now sockets sockets
}

links() { ip -o -d link show || ip -o link show; }

default_routes() {
  ip -o route show default
  ip -o -6 route show default
}

network() {
  has ip || return
  now links links
  now addresses ip -o addr show
  now default-routes default_routes
}

login() {
  user=${SUDO_USER:-$(id -un)}
  home=$({ limit 5 getent passwd "$user" || grep "^$user:" /etc/passwd; } | head -n 1 | cut -d : -f 6)
  printf '%s\n%s\n' "$user" "$home"
  # An empty one is none; whatever a link leads to is somebody's.
  [ -n "$home" ] && { [ -s "$home/.kube/config" ] || [ -L "$home/.kube/config" ]; } && echo config
}

certificates() { sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' "$1"; }

# Whether the CA's key is its certificate's. One under a passphrase is not asked for it, and fits nothing that kubeadm does.
ca_key() {
  has openssl || return 0
  if key=$(limit 5 openssl pkey -pubout -passin pass: -in pki/ca.key) &&
    [ "$key" = "$(limit 5 openssl x509 -noout -pubkey -in pki/ca.crt)" ]; then echo fits; else echo other; fi
}

# The name that the kubelet is told to go by, where it is not the hostname.
kubelet_name() {
  cat /var/lib/kubelet/kubeadm-flags.env /etc/default/kubelet /etc/sysconfig/kubelet /etc/systemd/system/kubelet.service.d/*.conf |
    grep -oE -e '--hostname-override[= ][^"[:space:]]+'
}

# The client's certificate in admin.conf, without its key.
admin_certificate() {
  sed -n 's/^[[:space:]]*client-certificate-data:[[:space:]]*//p' admin.conf | head -n 1 | base64 -d | certificates -
}

# The lines without secrets of what kubeadm wrote.
kubeadm_state() {
  cd /etc/kubernetes 2>/dev/null || return
  for name in admin kubelet bootstrap-kubelet controller-manager scheduler super-admin; do
    [ -f "$name.conf" ] || continue
    now "kubeconfig-$name" grep -E '^[[:space:]-]*(server|certificate-authority|certificate-authority-data):' "$name.conf"
    authority=$(sed -n 's/^[[:space:]]*certificate-authority:[[:space:]]*//p' "$name.conf" | head -n 1 | tr -d "\"'")
    [ -f "$authority" ] && now "authority-$name" certificates "$authority"
  done
  [ -f admin.conf ] && now admin-certificate admin_certificate
  now kubelet-certificate certificates /var/lib/kubelet/pki/kubelet-client-current.pem
  now kubelet-name kubelet_name
  [ -f pki/ca.crt ] && now ca-certificate certificates pki/ca.crt
  [ -f pki/ca.key ] && now ca-key ca_key
  [ -f pki/apiserver.crt ] && now api-server-certificate certificates pki/apiserver.crt
  for name in kube-apiserver kube-controller-manager; do
    [ -f "manifests/$name.yaml" ] && now "$name" grep -E \
      'image:|--(advertise-address|secure-port|service-cluster-ip-range|cluster-cidr|(oidc|audit|encryption|authentication|authorization-webhook)-[a-z-]*)=' \
      "manifests/$name.yaml"
  done
  [ -f manifests/etcd.yaml ] && now etcd grep -E -e '--initial-cluster=' manifests/etcd.yaml
}

# The nodes, and what runs on them, that the database of an etcd names: true while no API server answers. Nothing is said of
# one that could not all be read. Its log is left out: there other bytes follow a key.
etcd_names() {
  [ -e "$1" ] || return 0
  limit 20 grep -aohE '/registry/(minions|daemonsets|deployments|statefulsets)/[a-z0-9./-]+' "$1" >"$tmp/names"
  [ "$?" -le 1 ] && sort -u "$tmp/names"
}

# Only where an init of kfleet's is not known to have ended well: what it left is to be reset, if nobody uses it.
etcd_of_init() {
  [ -d /var/lib/kfleet/jobs/init ] || return
  data=$(sed -n 's/^ *- --data-dir=//p' /etc/kubernetes/manifests/etcd.yaml 2>/dev/null | head -n 1)
  later etcd-names etcd_names "${data:-/var/lib/etcd}/member/snap/db"
}

kubelet_and_cni() {
  etcd_of_init
  now kubelet-config grep -E '^(cgroupDriver|clusterDomain):' /var/lib/kubelet/config.yaml
  now etcd-data ls -A /var/lib/etcd
  now cni-configs ls -A /etc/cni/net.d
}

# Its name for the answer, and its path.
file() {
  if [ ! -e "$2" ]; then
    if [ -L "$2" ]; then frame file "$1" dangling; else frame file "$1" absent; fi
    return
  fi
  if [ ! -f "$2" ]; then
    frame file "$1" irregular
    return
  fi
  about=$(stat -L -c '%a|%U|%G|%u|%g|%s' "$2" 2>/dev/null)
  size=${about##*|}
  if [ "${size:-0}" -gt 1048576 ]; then
    frame file "$1" large
    return
  fi
  frame file "$1" present
  printf '%s\n' "$about"
  # A "!" is no base64: what could only be read in part is not taken for all of it.
  base64 <"$2" 2>/dev/null || echo '!'
}

sysctl() {
  if value=$(cat "$2" 2>/dev/null); then
    frame sysctl "$1" present
    printf '%s' "$value"
  else
    frame sysctl "$1" absent
  fi
}

# Its name as asked for, and as the kernel writes it. What is built in shows in none of lsmod's files on some kernels; what it does shows all the same.
module() {
  [ -d "/sys/module/$2" ] || grep -q "^$2 " /proc/modules || grep -q "[[:space:]]$2\$" /proc/filesystems ||
    { [ "$2" = br_netfilter ] && [ -d /proc/sys/net/bridge ]; } ||
    { [ "$2" = nf_conntrack ] && [ -e /proc/sys/net/netfilter/nf_conntrack_max ]; } ||
    { [ "$2" = ip_vs ] && [ -e /proc/net/ip_vs ]; } ||
    tr - _ <"/lib/modules/$(uname -r)/modules.builtin" | grep -q "/$2\\.ko\$" || return
  frame module "$1" here
} 2>/dev/null

# After the units were asked: a job that ends in between has its status by now.
job() {
  [ -d "$2" ] || return
  frame job "$1" there
  cat "$2/status" 2>/dev/null
}
