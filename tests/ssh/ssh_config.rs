//! What ssh_config says of a host, held against the real `ssh` with the same file: where it gets, as whom, from where.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use kfleet::inventory::ConfigFile;
use kfleet::ssh::{Settings, SshConfig, UnknownHostKey, Via, Wanted};
use tempfile::TempDir;

use crate::sshd::{Sshd, connect, free_port, keygen, run};

pub fn wanted(address: &str) -> Wanted {
    Wanted { name: address.to_owned(), address: address.to_owned(), ..Wanted::default() }
}

pub fn config(file: &Path, options: &[&str]) -> SshConfig {
    SshConfig::new(Some(ConfigFile::At(file.to_owned())), options.iter().map(|&option| option.to_owned()).collect())
}

/// The way to one host by one file.
pub fn settings(file: &Path, address: &str) -> Settings {
    config(file, &[]).resolve(&[wanted(address)]).unwrap().settings.remove(0)
}

/// Client address, server port, user and variables, as the host sees them.
const WHO: &str =
    "echo ${SSH_CONNECTION%% *} ${SSH_CONNECTION##* } $(id -un); env | grep -E '^(KF|CARGO|OTHER)' | sort";

/// What `ssh` itself gets to; `None` where it does not get in.
fn by_ssh(file: &Path, options: &[&str], host: &str) -> Option<String> {
    let mut command = Command::new("ssh");
    command.arg("-F").arg(file).args(["-n", "-o", "BatchMode=yes"]).env_remove("SSH_AUTH_SOCK");
    for option in options {
        command.args(["-o", option]);
    }
    let output = command.args(["--", host, WHO]).stderr(Stdio::null()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// What kfleet gets to, or why it does not.
async fn by_kfleet(file: &Path, options: &[&str], host: &str) -> Result<String, String> {
    let mut resolved = config(file, options).resolve(&[wanted(host)])?;
    let mut settings = resolved.settings.remove(0);
    (settings.root, settings.agent) = (false, None);
    let host = connect(settings).await.map_err(|error| error.to_string())?;
    Ok(run(&*host, WHO).await.text().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn kfleet_gets_where_ssh_gets() {
    let sshd = || Sshd::with("AcceptEnv KF_* CARGO_PKG_*", &["ed25519"]);
    let (Some(one), Some(two)) = (sshd(), sshd()) else { return };
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::copy(one.path("known_hosts"), at("known_127.0.0.1")).unwrap();
    fs::copy(one.path("id"), at("key_127.0.0.1_root")).unwrap();
    fs::write(at("none"), "").unwrap();
    keygen(&at("stranger"), "ed25519", "");
    fs::write(at("included"), format!("Host included\n  Port {}\n  HostName 127.0.0.1\n", one.port)).unwrap();
    let mut both = fs::read_to_string(one.path("known_hosts")).unwrap();
    both += &fs::read_to_string(two.path("known_hosts")).unwrap();
    fs::write(at("both"), both).unwrap();

    let words = [
        ("ONE", one.port.to_string()),
        ("TWO", two.port.to_string()),
        ("CLOSED", free_port().to_string()),
        ("KEY1", one.path("id").display().to_string()),
        ("KEY2", two.path("id").display().to_string()),
        ("DIR", directory.path().display().to_string()),
        ("CONFIG", at("config").display().to_string()),
    ];
    let fill = |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
    // What most of them share; the first value of an option holds, so each says its own before.
    let rest = fill(
        "\nHost *\n  HostName 127.0.0.1\n  Port ONE\n  User root\n  IdentityFile KEY1\n  UserKnownHostsFile DIR/both\n  \
         GlobalKnownHostsFile none\n",
    );
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("nothing of its own", "", &["any"], &[]),
        ("a port of its own", "Host b\n  Port TWO\n  IdentityFile KEY2", &["a", "b"], &[]),
        ("patterns", "Host web* !web9\n  Port TWO\n  IdentityFile KEY2", &["web1", "web9", "db", "xweb1"], &[]),
        (
            "an address as it is typed",
            "Host 127.0.0.2\n  Port TWO\n  IdentityFile KEY2",
            &["127.0.0.2", "127.0.0.1"],
            &[],
        ),
        ("a name made of the alias", "Host 1 2\n  HostName 127.0.0.%h", &["1"], &[]),
        ("capitals", "Host B\n  Port TWO\n  IdentityFile KEY2", &["b", "B"], &[]),
        ("Include", "Include DIR/incl*", &["included", "other"], &[]),
        ("Include within Host", "Host a\n  Include DIR/included", &["a", "included"], &[]),
        ("Match host", "Match host b,c*\n  Port TWO\n  IdentityFile KEY2", &["a", "b", "c3"], &[]),
        ("Match originalhost", "Match originalhost b\n  Port TWO\n  IdentityFile KEY2", &["a", "b"], &[]),
        ("Match exec", "Match exec \"test %n = b\"\n  Port TWO\n  IdentityFile KEY2", &["a", "b"], &[]),
        ("Match exec that fails", "Match exec \"exit 3\"\n  Port CLOSED", &["a"], &[]),
        ("Match user, asked for by -o", "Match user daemon\n  Port CLOSED", &["a"], &["User=root"]),
        ("Match user, and it is", "Match user daemon\n  Port CLOSED", &["a"], &["User=daemon"]),
        ("a user who may not", "Host b\n  User nobody-here", &["b"], &[]),
        ("tokens in paths", "Host b\n  IdentityFile DIR/key_%h_%r\n  UserKnownHostsFile DIR/known_%h", &["b"], &[]),
        ("a key that is not known", "Host b\n  UserKnownHostsFile DIR/none\n  StrictHostKeyChecking yes", &["b"], &[]),
        (
            "nothing is known without files",
            "Host b\n  UserKnownHostsFile none\n  StrictHostKeyChecking yes",
            &["b"],
            &[],
        ),
        ("a key that lets nobody in", "Host b\n  IdentityFile DIR/stranger\n  IdentitiesOnly yes", &["b"], &[]),
        ("several keys", "Host b\n  IdentityFile DIR/stranger\n  IdentityFile KEY1", &["b"], &[]),
        ("no address of that family", "Host b\n  HostName 127.0.0.1\n  AddressFamily inet6", &["b"], &[]),
        ("an address to come from", "Host b\n  BindAddress 127.0.0.3", &["a", "b"], &[]),
        (
            "a name to come from",
            "Host b\n  BindAddress localhost\nHost c\n  BindAddress no.such.name.invalid",
            &["b", "c"],
            &[],
        ),
        (
            "variables",
            "Host b\n  SendEnv CARGO_PKG_N* NO_SUCH\n  SetEnv KF_ONE=one \"KF_TWO=two words\" OTHER=other\nHost c\n  \
             SendEnv CARGO_*\n  SendEnv -CARGO_PKG_NAME\n  SetEnv KF_ONE=",
            &["a", "b", "c"],
            &[],
        ),
        ("variables by -o", "", &["a"], &["SendEnv=CARGO_PKG_NAME", "SetEnv=KF_ONE=1"]),
        ("nobody is there", "Host b\n  Port CLOSED", &["b"], &[]),
        ("-o before the file", "Host b\n  Port CLOSED", &["b"], &["Port=ONE"]),
        (
            "a jump host",
            "Host b\n  Port TWO\n  IdentityFile KEY2\n  ProxyJump j\nHost c\n  ProxyJump j",
            &["b", "c"],
            &[],
        ),
        ("jump hosts in a row", "Host b\n  ProxyJump j1,root@j2:TWO\nHost j2\n  IdentityFile KEY2", &["b"], &[]),
        ("a jump host's own jump host", "Host b\n  ProxyJump j1\nHost j1\n  ProxyJump j2", &["b"], &[]),
        ("a jump host of a pattern", "Host j\nHost b* !b9\n  ProxyJump j", &["b1", "b9"], &[]),
        ("a jump host that is down", "Host b\n  ProxyJump j\nHost j\n  Port CLOSED", &["b"], &[]),
        (
            "none before a jump host",
            "Host b\n  ProxyJump none\nHost b c\n  ProxyJump j\nHost j\n  Port CLOSED",
            &["b", "c"],
            &[],
        ),
        ("a jump host by its user's name", "Host b\n  ProxyJump %r@j-%h\nHost j-*\n", &["b"], &[]),
        ("-o ProxyJump", "Host j\n  Port CLOSED", &["b"], &["ProxyJump=j"]),
        ("-o is not for jump hosts", "Host b\n  ProxyJump j", &["b"], &["Port=TWO", "IdentityFile=KEY2"]),
        ("ProxyCommand", "Host b\n  ProxyCommand busybox nc %h %p", &["b"], &[]),
        ("ProxyCommand through ssh", "Host b\n  ProxyCommand ssh -F CONFIG -W %h:%p j", &["b"], &[]),
        ("ProxyCommand in a shell", "Host b\n  ProxyCommand sh -c 'busybox nc %h %p'", &["b"], &[]),
        ("ProxyCommand to elsewhere", "Host b\n  IdentityFile KEY2\n  ProxyCommand busybox nc %h TWO", &["a"], &[]),
        ("ProxyCommand that fails", "Host b\n  ProxyCommand echo no >&2; exit 1", &["b"], &[]),
        ("ProxyCommand none", "Host b\n  ProxyCommand none\nHost b\n  ProxyCommand exit 1", &["b"], &[]),
        ("what comes first of the two", "Host b\n  ProxyCommand exit 1\n  ProxyJump j", &["b"], &[]),
        ("a line that is wrong", "Host b\n  Prot 22", &["a"], &[]),
        ("a token that is not there", "Host b\n  IdentityFile DIR/%y", &["b"], &[]),
    ];
    let mut asked = 0;
    for (name, text, hosts, options) in cases {
        fs::write(at("config"), format!("{}{rest}", fill(text))).unwrap();
        let options: Vec<String> = options.iter().map(|option| fill(option)).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        for host in *hosts {
            asked += 1;
            let (ssh, kfleet) = (by_ssh(&at("config"), &options, host), by_kfleet(&at("config"), &options, host).await);
            assert_eq!(kfleet.as_ref().ok(), ssh.as_ref(), "{name}: {host}: {kfleet:?}\n{}", fill(text));
        }
    }
    println!("{asked} hosts in {} files", cases.len());
}

/// What cannot be seen from the other side.
#[test]
fn options_become_settings() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("config");
    let all = "Host all
  HostKeyAlias Cluster
  CertificateFile /keys/%n-cert.pub
  IdentitiesOnly yes
  IdentityAgent /run/%r/agent
  StrictHostKeyChecking accept-new
  ConnectTimeout 7
  ServerAliveInterval 2m
  ServerAliveCountMax 5
  HashKnownHosts yes
  UserKnownHostsFile /known/%n /known/more
  User ops
Host off
  IdentityAgent none
  StrictHostKeyChecking off
  ConnectTimeout 0
Host variable
  IdentityAgent $KFLEET_NO_SUCH_VARIABLE
Host everybody
  GlobalKnownHostsFile \"/known/to all\"
Host usual
";
    fs::write(&file, all).unwrap();
    let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    let all = settings(&file, "all");
    assert_eq!(all.host_key_alias.as_deref(), Some("cluster"));
    assert_eq!(all.certificates, paths(&["/keys/all-cert.pub"]));
    assert_eq!(all.identities, paths(&[]), "the usual ones, which need not be there");
    assert!(all.identities_only);
    assert_eq!(all.agent, Some("/run/ops/agent".into()));
    assert_eq!(all.unknown_host_key, UnknownHostKey::Write);
    assert!(all.hash_known_hosts);
    // On top of kfleet's own patience.
    assert_eq!((all.dial_timeout, all.connect_timeout), (Some(Duration::from_secs(7)), Duration::from_secs(17)));
    assert_eq!((all.keep_alive.interval, all.keep_alive.unanswered), (Duration::from_secs(120), 5));
    let system = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
    assert_eq!(all.known_hosts, paths(&["/known/all", "/known/more", system[0], system[1]]));

    let everybody = settings(&file, "everybody");
    // As ever, even where the home directory has a blank.
    let usual = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
    assert_eq!(everybody.known_hosts, paths(&[usual[0], usual[1], "/known/to all"]));

    let off = settings(&file, "off");
    assert_eq!(off.dial_timeout, None, "0 is no limit");
    assert_eq!((off.agent, off.unknown_host_key), (None, UnknownHostKey::Write));
    assert_eq!(settings(&file, "variable").agent, None);

    let usual = settings(&file, "usual");
    let bare = Settings::to("usual", "usual", &usual.user);
    assert_eq!(format!("{usual:?}"), format!("{bare:?}"), "a host that nothing is said of is reached as ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_written_where_ssh_writes_it() {
    let Some(sshd) = Sshd::start() else { return };
    let line = format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key("ed25519"));
    for (said, written) in [
        ("\"DIR/My Keys/kh\" DIR/more", Some("My Keys/kh")),
        ("\"DIR/new file\"", Some("new file")),
        ("DIR/one DIR/two", Some("one")),
        ("\"DIR/My File\"", None),
    ] {
        for by_kfleet_itself in [false, true] {
            let directory = TempDir::new().unwrap();
            let at = |name: &str| directory.path().join(name);
            fs::create_dir(at("My Keys")).unwrap();
            if written.is_none() {
                fs::write(at("My"), "").unwrap();
            }
            let config = format!(
                "Host *\nHostName 127.0.0.1\nPort {}\nUser root\nIdentityFile {}\nStrictHostKeyChecking accept-new\n\
                 GlobalKnownHostsFile none\nHashKnownHosts no\nUserKnownHostsFile {said}\n",
                sshd.port,
                sshd.path("id").display()
            );
            fs::write(at("config"), config.replace("DIR", directory.path().to_str().unwrap())).unwrap();
            if by_kfleet_itself {
                let got = by_kfleet(&at("config"), &[], "b").await;
                // Ssh cannot be asked which of the two it means, and one is there: nothing is written.
                let refused = |reason: &String| reason.starts_with("UserKnownHostsFile of b: `/");
                assert!(got.is_ok() == written.is_some() && got.as_ref().err().is_none_or(refused), "{said}: {got:?}");
            } else {
                assert!(by_ssh(&at("config"), &[], "b").is_some(), "{said}");
            }
            for name in ["My Keys/kh", "new file", "one", "more", "two", "My", "Keys/kh"] {
                let found = fs::read_to_string(at(name)).unwrap_or_default();
                assert_eq!(found, if written == Some(name) { &*line } else { "" }, "{said}: {name}");
            }
        }
    }
}

#[test]
fn the_command_line_comes_before_the_inventory_and_that_before_ssh_config() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("config");
    let said = "Host filej j\n  IdentityFile /hop\n  ProxyJump none\nHost a j\n  User file\n  Port 1\n  IdentityFile /file\n  \
                ConnectTimeout 1\n  ProxyJump filej\n";
    fs::write(&file, said).unwrap();
    let inventory = Wanted {
        user: Some("inventory".to_owned()),
        port: Some(2),
        identities: vec!["/inventory".into()],
        known_hosts: vec!["/known".into()],
        connect_timeout: Some(Duration::from_secs(2)),
        jump: Some(vec!["me@j:5".to_owned()]),
        ..wanted("a")
    };
    let none = Wanted { jump: Some(Vec::new()), ..wanted("a") };
    let shown = |wanted: &Wanted, options: &[&str]| {
        let settings = config(&file, options).resolve(std::slice::from_ref(wanted)).unwrap().settings.remove(0);
        let jumps = match &settings.via {
            Via::Jumps(jumps) => jumps.iter().map(|jump| {
                let Settings { user, address, port, identities, known_hosts, .. } = jump;
                format!(" via {user}@{address}:{port} {identities:?} {known_hosts:?}")
            }),
            _ => return format!("{}@{}:{} directly", settings.user, settings.address, settings.port),
        };
        let jumps: String = jumps.collect();
        let Settings { user, port, identities, known_hosts, dial_timeout, connect_timeout, .. } = settings;
        let dial = dial_timeout.map(|timeout| format!(" {timeout:?} of")).unwrap_or_default();
        format!("{user} {port} {identities:?} {known_hosts:?}{dial} {connect_timeout:?}{jumps}")
    };
    let local = shown(&wanted("nobody-named-this"), &[]);
    let local = local.split('@').next().unwrap();
    for (wanted, options, expected) in [
        (&wanted("a"), &[][..], format!(r#"file 1 ["/file"] [] 1s of 11s via {local}@filej:22 ["/hop"] []"#)),
        (
            &inventory,
            &[],
            r#"inventory 2 ["/inventory"] ["/known"] 2s via me@j:5 ["/inventory"] ["/known"]"#.to_owned(),
        ),
        (
            &inventory,
            &["User=line", "port 3", "IDENTITYFILE=/line", "ConnectTimeout=3"],
            r#"line 3 ["/line", "/file"] ["/known"] 3s of 6s via me@j:5 ["/hop", "/file"] ["/known"]"#.to_owned(),
        ),
        (&inventory, &["ProxyJump=none"], "inventory@a:2 directly".to_owned()),
        (&none, &[], "file@a:1 directly".to_owned()),
    ] {
        assert_eq!(shown(wanted, options), expected, "{options:?}");
    }
}

#[test]
fn a_host_is_asked_for_once() {
    let directory = TempDir::new().unwrap();
    let (file, log) = (directory.path().join("config"), directory.path().join("log"));
    fs::write(&file, format!("Match exec \"echo %n >> {}\"\n  User ops\nHost b*\n  ProxyJump j\n", log.display()))
        .unwrap();
    let all: Vec<Wanted> =
        (0..30).map(|at| Wanted { name: format!("n{at}"), ..wanted(&format!("b{}", at % 3)) }).collect();
    let resolved = config(&file, &[]).resolve(&all).unwrap();
    assert!(resolved.settings.iter().zip(&all).all(|(settings, wanted)| settings.name == wanted.name));
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    fs::read_to_string(log).unwrap().lines().for_each(|host| *asked.entry(host.to_owned()).or_default() += 1);
    assert_eq!(asked, ["b0", "b1", "b2", "j"].map(|host| (host.to_owned(), 1)).into());
}

#[test]
fn what_kfleet_does_not_do_is_said_once() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("config");
    let remarks = |text: &str| {
        fs::write(&file, text).unwrap();
        let all: Vec<Wanted> = (0..50).map(|at| wanted(&format!("h{at:02}"))).collect();
        config(&file, &[]).resolve(&all).unwrap().remarks
    };
    let usual = "Host *\n  SendEnv LANG LC_*\n  SetEnv A=b\n  HashKnownHosts yes\n  GSSAPIAuthentication yes\n  ControlMaster auto\n  \
                 Compression yes\n  LocalForward 8080 localhost:80\n  Ciphers aes256-gcm@openssh.com\n";
    assert_eq!(remarks(usual), Vec::<String>::new());
    let unusual = "Host h07\n  ConnectionAttempts 3\n  HostKeyAlgorithms +ssh-rsa\n  PKCS11Provider /usr/lib/opensc-pkcs11.so\nHost j\n  ProxyUseFdpass yes\n\
                   Host h0*\n  ForwardAgent yes\n  ProxyJump j\n";
    assert_eq!(
        remarks(unusual),
        [
            "ssh_config has options that kfleet passes over: ConnectionAttempts (for h07), ForwardAgent (for h00 and 9 more), \
          HostKeyAlgorithms (for h07), PKCS11Provider (for h07), ProxyUseFdpass (for j)"
        ]
    );
}

#[test]
fn what_ssh_refuses_is_told_in_its_words() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("config");
    for (text, host, options, said) in [
        ("Host a\n  Prot 22\n", "b", &[][..], "line 2: Bad configuration option: prot"),
        ("", "b", &["Prot=22"], "Bad configuration option: prot"),
        ("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n", "a", &[], "the jump hosts on the way to a lead in a circle"),
        ("Host *\n  ProxyJump j%n\n", "a", &[], "lead in a circle"),
        ("", "-oProxyCommand=id", &[], "`-oProxyCommand=id` is no host's name"),
        ("", "a;id", &[], "`a;id` is no host's name"),
        ("", "$(id)", &[], "is no host's name"),
        ("Host a\n  ProxyJump x;id\n", "a", &[], ""),
    ] {
        fs::write(&file, text).unwrap();
        let error = config(&file, options).resolve(&[wanted(host)]).unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
    let missing = config(&directory.path().join("missing"), &[]).resolve(&[wanted("a")]).unwrap_err();
    assert!(missing.contains("missing"), "{missing}");
    // As OpenSSH has it for users: a domain's are no harm.
    let domain = Wanted { user: Some("CORP\\ops".to_owned()), ..wanted("a") };
    fs::write(&file, "Host a\n  ProxyJump CORP\\ops@b\n").unwrap();
    let settings = config(&file, &[]).resolve(&[domain]).unwrap().settings.remove(0);
    let Via::Jumps(jumps) = &settings.via else { panic!("{settings:?}") };
    assert_eq!((settings.user.as_str(), jumps[0].user.as_str()), ("CORP\\ops", "CORP\\ops"));
    let user = Wanted { user: Some("-x".to_owned()), ..wanted("a") };
    assert!(config(&file, &[]).resolve(&[user]).unwrap_err().contains("`-x` is no user's name"));
}
