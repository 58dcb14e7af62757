# What a reinit has put aside on its control plane, a line each: the name, the snapshot's size (- where there is none), and the address
# that the API server announced then.
backups() {
  for backup in /var/lib/kfleet/reinit/backup-*; do
    [ -d "$backup" ] || continue
    size=-
    [ -f "$backup/etcd.snapshot" ] && size=$(wc -c <"$backup/etcd.snapshot")
    address=$(sed -n 's/^ *- --advertise-address=//p' "$backup/etc-kubernetes/manifests/kube-apiserver.yaml")
    echo "${backup##*/} $size $address"
  done
} 2>/dev/null
