# Stops the control plane and puts aside what is lost otherwise: may be cut anywhere and begun again. Set before, beside the
# functions of reinit/shared.sh: `id` of this beginning anew, `backup` (where to), `node`.
state=/var/lib/kfleet/scratch
kube=/etc/kubernetes
umask 077
mkdir -p "$state" "$backup"
# One at a time: this goes on for a while when its connection is lost, and the next run begins it again.
exec 9>"$state/at-work"
if ! flock -n 9; then
    say "the run before is still at this: waiting for it"
    flock -w 600 9 || { echo "the run before is still putting etcd's data aside: wait for it to end"; exit 1; }
fi
printf '%s aside\n' "$id" >"$state/phase.new"
mv -f "$state/phase.new" "$state/phase"
sync
say "the control plane is stopped"
systemctl stop kubelet
for part in kube-controller-manager kube-scheduler kube-apiserver etcd; do
    patience=1
    [ "$part" != etcd ] || patience=10
    # shellcheck disable=SC2046
    end "$patience" $(processes_of "kube-system_$part-$node")
done
if [ -d "$kube" ] && [ ! -e "$backup/etc-kubernetes" ]; then
    rm -rf "$backup/half"
    cp -a "$kube" "$backup/half"
    chmod 0700 "$backup/half"
    sync
    mv "$backup/half" "$backup/etc-kubernetes"
fi
data=$(sed -n 's/.*--data-dir=\([^ "]*\).*/\1/p' "$backup/etc-kubernetes/manifests/etcd.yaml" 2>/dev/null | head -n 1)
data=${data:-/var/lib/etcd}
if [ -d "$data/member" ] && [ ! -e "$backup/etcd-member" ]; then
    if [ "$(stat -c %d "$data/member")" = "$(stat -c %d "$backup")" ]; then
        mv "$data/member" "$backup/etcd-member"
    else
        rm -rf "$backup/half"
        cp -a "$data/member" "$backup/half"
        sync
        mv "$backup/half" "$backup/etcd-member"
        sync
        rm -rf "$data/member"
    fi
    say "etcd's data is in $backup/etcd-member"
fi
note "backup: $backup"
