# `get --raw` needs no discovery: one request a question, and nothing is written to ~/.kube/cache.
ask() { later "$1" limit 15 kubectl --kubeconfig=/etc/kubernetes/admin.conf --request-timeout=5s get --raw "$2"; }

cluster() {
  if [ ! -f /etc/kubernetes/admin.conf ]; then
    frame cluster - absent
  elif ! has kubectl; then
    frame cluster - no-kubectl
  else
    frame cluster - asked
    ask nodes /api/v1/nodes
    ask daemonsets /apis/apps/v1/daemonsets
    ask deployments /apis/apps/v1/deployments
    ask kubeadm-config /api/v1/namespaces/kube-system/configmaps/kubeadm-config
    ask flannel-config '/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-flannel-cfg'
  fi
}
