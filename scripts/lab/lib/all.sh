# Everything a script of the lab may use.
# shellcheck shell=bash
for _part in paths need apt stage kubernetes stand-in store cgroup settings network host lab; do
    # shellcheck source=/dev/null
    source "$(dirname "${BASH_SOURCE[0]}")/$_part.sh"
done
unset _part
