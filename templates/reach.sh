# Whether this host gets through to a host and port; if not, in the words that kubeadm has for it, minutes later.
reach() {
  for attempt in 1 2 3; do
    [ "$attempt" = 1 ] || sleep 1
    said=$(knock "$1" "$2" 2>&1) && return 0
    status=$?
  done
  case $said in
  *[Rr]efused*) why='connect: connection refused' ;;
  *[Nn]'o route'*) why='connect: no route to host' ;;
  *[Nn]'etwork is unreachable'*) why='connect: network is unreachable' ;;
  *'not known'* | *'not resolve'* | *'failure in name'*) why="lookup $1: no such host" ;;
  *) if [ "$status" = 124 ] || [ "$status" = 28 ]; then why='i/o timeout'; else why=${said:-"exit status $status"}; fi ;;
  esac
  case $1 in *:*) place="[$1]:$2" ;; *) place=$1:$2 ;; esac
  echo "no connection from this host: dial tcp $place: $why" >&2
  return 1
}

# Where a host has nothing to knock with, kubeadm finds out.
knock() {
  if command -v bash >/dev/null && command -v timeout >/dev/null; then
    timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2"
  elif command -v curl >/dev/null; then
    case $1 in *:*) url="https://[$1]:$2/" ;; *) url="https://$1:$2/" ;; esac
    curl -sSko /dev/null --noproxy '*' --connect-timeout 5 --max-time 8 "$url" || {
      # What comes after the connection, its certificate for one, is not asked here.
      answer=$?
      case $answer in 6 | 7 | 28) return "$answer" ;; esac
    }
  fi
}
