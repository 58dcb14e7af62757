# Which addresses stand where: what the API server's old address is, and whether any of it is left.

# Lines of a place and a word that may be an address. The names of images are not the cluster's own.
addresses_of() {
  awk -v place="$1" '!/^[ \t-]*image:/ {
    count = split($0, words, /[^0-9A-Za-z:._-]+/)
    for (i = 1; i <= count; i++)
      if (words[i] ~ /^[0-9A-Fa-f:.]+$/ && words[i] ~ /[.:][^.:]*[.:]/) print place "\t" words[i]
  }' | sort -u
}

traces() {
  {
    find /etc/kubernetes \( -path /etc/kubernetes/pki -o -path /etc/kubernetes/tmp \) -prune -o -type f -size -2048 -print
    for path in /var/lib/kubelet/kubeadm-flags.env /var/lib/kubelet/config.yaml /etc/default/kubelet /etc/sysconfig/kubelet \
      /etc/systemd/system/kubelet.service.d/*.conf \
      /var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/kube-proxy/kubeconfig.conf; do
      [ -f "$path" ] && echo "$path"
    done
    # What kube-proxy takes for /etc/hosts: that of its last start.
    for path in /var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/kube-proxy; do
      path=${path%/volumes/*}/etc-hosts
      [ -f "$path" ] && echo "$path"
    done
  } | while read -r path; do addresses_of "$path" <"$path"; done
}

# Each after a line "# PATH"; certificates only, whatever else is in the file.
all_certificates() {
  find /etc/kubernetes/pki /var/lib/kubelet/pki \( -name '*.crt' -o -name '*-current.pem' \) | while read -r path; do
    echo "# $path"
    certificates "$path"
  done
}

# etcd's members, asked with what the host has for that; the first word says what that is.
etcd_members() {
  cd /etc/kubernetes/pki || return
  if has etcdctl; then
    echo etcdctl
    limit 5 env ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=etcd/ca.crt --cert=apiserver-etcd-client.crt \
      --key=apiserver-etcd-client.key member list
  elif has curl; then
    echo curl
    curl -sSf --max-time 5 --cacert etcd/ca.crt --cert apiserver-etcd-client.crt --key apiserver-etcd-client.key \
      -X POST -d '{}' https://127.0.0.1:2379/v3/cluster/member/list
  else
    echo 'neither etcdctl nor curl' >&2
    return 1
  fi
}

# By loopback and a name that is in the API server's certificate, whatever its address.
config_maps() {
  port=$(sed -n 's/^ *- --secure-port=//p' /etc/kubernetes/manifests/kube-apiserver.yaml)
  for namespace in kube-system kube-public; do
    limit 8 kubectl --kubeconfig=/etc/kubernetes/admin.conf --server="https://127.0.0.1:${port:-6443}" \
      --tls-server-name=kubernetes --cache-dir="$tmp/kubectl" --request-timeout=5s get configmaps -n "$namespace" \
      -o 'jsonpath={range .items[*]}{.metadata.name} {.data}{"\n"}{end}' >"$tmp/maps" || return
    while read -r name data; do
      printf '%s\n' "$data" | sed 's/\\[nrt]/ /g' | addresses_of "ConfigMap $namespace/$name"
    done <"$tmp/maps"
  done
}

all_traces() {
  if [ -f /etc/kubernetes/manifests/kube-apiserver.yaml ]; then
    [ -f /etc/kubernetes/manifests/etcd.yaml ] && later etcd-members etcd_members
    has kubectl && later config-maps config_maps
  fi
  now traces traces
  now certificates all_certificates
}
