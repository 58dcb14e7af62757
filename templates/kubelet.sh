# The kubelet's state, then its last errors, or its last lines where none is an error. A kubelet that panics ends with the stacks
# of all its goroutines, and one that lives talks much: neither says why.
kubelet_says() {
  printf 'kubelet.service is %s\n' "$(systemctl is-active kubelet || :)"
  journal=$(journalctl --unit kubelet --lines 400 --no-pager --output cat 2>/dev/null || :)
  errors=$(printf '%s\n' "$journal" | grep -E '^[EF][0-9]{4} |^Error|^kubelet\.service: ' || :)
  printf '%s\n' "${errors:-$journal}" | tail -n 12
}

# One that cannot run ends within a second or two of its start, and is started again by systemd for ever.
kubelet_runs() {
  systemctl reset-failed kubelet.service 2>/dev/null || :
  systemctl restart kubelet.service || { kubelet_says >&2; return 1; }
  process=$(systemctl show -p MainPID kubelet.service)
  for second in 1 2 3 4 5 6 7 8; do
    sleep 1
    [ "$(systemctl is-active kubelet.service)" = active ] && [ "$(systemctl show -p MainPID kubelet.service)" = "$process" ] ||
      { kubelet_says >&2; return 1; }
  done
}
