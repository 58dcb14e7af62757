# Every answer is a frame: a line "NONCE subject item status", then bytes. The line begins with a line end of its own,
# which is no part of the bytes before it.
LC_ALL=C
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin
export LC_ALL PATH
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
umask 077

frame() { printf '\n%s %s %s %s\n' "$nonce" "$1" "$2" "$3"; }

has() { command -v "$1" >/dev/null 2>&1; }

# busybox before 1.30 wants `timeout -t`; such a host does without deadlines.
if timeout 1 true 2>/dev/null; then
  limit() { timeout "$@"; }
else
  limit() { shift; "$@"; }
fi

now() {
  question=$1
  shift
  answer=$("$@" 2>/dev/null)
  frame said "$question" "$?"
  printf '%s' "$answer"
}

later() {
  question=$1
  shift
  running="$running $question"
  { "$@" >"$tmp/$question.out" 2>"$tmp/$question.err"; echo "$?" >"$tmp/$question.status"; } &
}

collect() {
  wait
  for question in $running; do
    status=
    read -r status <"$tmp/$question.status"
    frame said "$question" "${status:--}"
    cat "$tmp/$question.out"
    if [ "$status" != 0 ]; then
      frame erred "$question" "${status:--}"
      tail -c 2000 "$tmp/$question.err"
    fi
  done
}

running=
tmp=
# /run first: it is memory, root's alone, and not full when the disk is.
for place in /run /dev/shm /tmp /var/tmp; do
  tmp=$(mktemp -d "$place/kfleet-probe.XXXXXX" 2>/dev/null) && break
done
if [ -z "$tmp" ]; then
  frame aborted - no-place
  exit 1
fi
trap 'trap "" HUP INT PIPE TERM; rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
