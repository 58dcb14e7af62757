//! What the help of each of pssh's programs ends with.

/// What `--version` says behind the program's name.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (as pssh 2.3.6)");

macro_rules! environment {
    () => {
        "Environment:
  PSSH_USER, PSSH_PAR, PSSH_OUTDIR, PSSH_ERRDIR, PSSH_TIMEOUT, PSSH_OPTIONS
                        the values of -l, -p, -o, -e, -t and the first -O
  PSSH_VERBOSE, PSSH_ASKPASS, PSSH_PRINT, PSSH_INLINE
                        if not empty: -v, -A, -P, -i
  PSSH_HOSTS            a hosts file before those of -h (deprecated)
"
    };
}

pub(super) const PSSH: &str = concat!(
    "Examples:
  kfleet pssh -ih kube uptime
  kfleet pssh -H \"root@node1 root@node2:2222\" -o out -e err 'systemctl is-active kubelet'
  kfleet pssh -h kube -I < script.sh

On the hosts:
  PSSH_NODENUM, PSSH_NUMNODES and PSSH_HOST are sent; sshd takes them where its AcceptEnv names them.

",
    environment!(),
    "
Exit status:
  0  all well
  1  something on this machine went wrong
  2  the command line is wrong
  3  a host's time was over, or the run was interrupted
  4  ssh failed on a host (its status is 255 then)
  5  a command failed on a host

Other than pssh:
  Where ssh would say on stderr why it failed, kfleet says it in words of its own.
  A command whose time is over, or that is interrupted, is ended on the host as well.
  Ctrl-C exits with 3; pssh has 5.
  With -P every line is printed behind its host, and one that comes in pieces is still one line; stderr goes to stderr.
  A command that does not read all of -I's input has not failed.
  An IPv6 address needs no brackets where no port follows.
  -A asks on a terminal alone; pssh without one reads the password from stdin.
  A host key that has changed is refused with StrictHostKeyChecking=no as well, where ssh goes on with a warning.
  ssh's -C and -v are taken and change nothing: kfleet compresses nothing, and has no more to tell.
  -p 0 is a wrong command line; pssh does nothing for ever.
  What -O, -x and -X say and kfleet cannot do (ssh's -t, -L, -A, ...) is a wrong command line."
);

pub(super) const PNUKE: &str = concat!(
    "Examples:
  kfleet pnuke -h kube -l root java

",
    environment!(),
    "
Exit status:
  0  all well
  1  something on this machine went wrong
  2  the command line is wrong
  3  a host's time was over, or the run was interrupted
  4  ssh failed on a host
  5  nothing matched on a host"
);

pub(super) const PSCP: &str = concat!(
    "Examples:
  kfleet pscp -h kube /etc/hosts /tmp/hosts
  kfleet pscp -r -H \"node1 node2\" manifests /root/manifests

",
    environment!(),
    "  PSSH_RECURSIVE        if not empty: -r

Exit status:
  0  all well
  1  something on this machine went wrong
  2  the command line is wrong
  3  a host's time was over, or the run was interrupted
  4  the copy failed for a host

Other than pscp:
  A host key that has changed is refused with StrictHostKeyChecking=no as well, where ssh goes on with a warning.
  The hosts need a shell and dd (with --download head and stat), and no scp and no SFTP server.
  What -O, -x and -X say and kfleet cannot do (scp's -p, -l, ...) is a wrong command line."
);

pub(super) const PSLURP: &str = concat!(
    "Examples:
  kfleet pslurp -h kube -L versions /etc/os-release os-release
  kfleet pslurp -r -h kube -L logs /var/log/pods pods

",
    environment!(),
    "  PSSH_RECURSIVE        if not empty: -r
  PSSH_LOCALDIR         the value of -L

Exit status:
  0  all well
  1  something on this machine went wrong
  2  the command line is wrong
  3  a host's time was over, or the run was interrupted
  4  ssh failed on a host
  5  the copy failed for a host

Other than pslurp:
  The directory of a host whose entry has no port is HOST; pslurp calls it HOST:None.
  Without -L there are copies; scp takes pslurp's HOST:PORT/LOCAL for a host.
  A host key that has changed is refused with StrictHostKeyChecking=no as well, where ssh goes on with a warning.
  The hosts need a shell, head and stat, and no scp and no SFTP server.
  What -O, -x and -X say and kfleet cannot do (scp's -p, -l, ...) is a wrong command line."
);

pub(super) const PRSYNC: &str = concat!(
    "Examples:
  kfleet prsync -a -h kube manifests/ /root/manifests

",
    environment!(),
    "  PSSH_RECURSIVE, PSSH_ARCHIVE, PSSH_COMPRESS
                        if not empty: -r, -a, -z

Exit status:
  0  all well
  1  something on this machine went wrong
  2  the command line is wrong
  3  a host's time was over, or the run was interrupted
  4  rsync failed for a host

Other than prsync:
  ssh asks for nothing but with -A, and then for the password alone; for that it must be OpenSSH 8.4 or newer."
);
