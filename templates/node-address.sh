# A node is to be known at its host's present address. Set before: what shared.sh needs. Begun again after it was cut it does
# all of it again.
stage=/var/lib/kfleet/node-address
rm -rf "$stage"
kubelet_files | while read -r file; do
    is_stale "$file" || continue
    (umask 077; mkdir -p "$stage${file%/*}")
    cp -p "$file" "$stage$file"
    sed -E "$moves" "$file" >"$stage$file"
    put "$stage$file" "$file"
    say "$file was rewritten"
done
rm -rf "$stage"
sync
systemctl daemon-reload
systemctl restart kubelet
say "the kubelet was restarted"
end_pod_network
