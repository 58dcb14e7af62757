# Whether this host gets through to a host and port; if not, in the words that kubeadm has for it, minutes later. Where there is no
# bash, which alone among shells can knock, kubeadm finds out.
reach() {
  command -v bash >/dev/null && command -v timeout >/dev/null || return 0
  for attempt in 1 2 3; do
    [ "$attempt" = 1 ] || sleep 1
    said=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>&1) && return 0
    status=$?
  done
  case $said in
  *[Rr]efused*) why='connect: connection refused' ;;
  *[Nn]'o route'*) why='connect: no route to host' ;;
  *[Nn]'etwork is unreachable'*) why='connect: network is unreachable' ;;
  *'not known'* | *'failure in name'*) why="lookup $1: no such host" ;;
  *) if [ "$status" = 124 ]; then why='i/o timeout'; else why=${said:-"exit status $status"}; fi ;;
  esac
  case $1 in *:*) place="[$1]:$2" ;; *) place=$1:$2 ;; esac
  echo "no connection from this host: dial tcp $place: $why" >&2
  return 1
}
