# After etcd went back to a snapshot. Set before, beside what shared.sh needs: `service` (the API server's first Service address).

# Every program of the system's own that has watched the API server since before: it would wait for revisions that are yet to come.
# The pods of DaemonSets and Deployments; kube-proxy is restarted with its configuration, and a static pod (whose uid is a hash) watches nothing.
restart_watchers() {
    within 30 reaches "$service" 443 || echo "$service:443 is not reached yet: the pod network may need longer"
    found=
    for log in /var/log/pods/kube-system_* /var/log/pods/kube-flannel_* /var/log/pods/calico-system_*; do
        pod=${log#/var/log/pods/}
        case ${pod##*_} in *-*) ;; *) continue ;; esac
        case $pod in kube-system_kube-proxy-*) continue ;; esac
        found="$found $(processes_of "${pod%_*}")"
    done
    # shellcheck disable=SC2086
    end 3 $found
    say "what watches the API server was restarted on this host"
}
