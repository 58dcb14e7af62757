use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

use super::answer::Answer;
use super::environment::{environment, variables};
use super::path_list;
use super::question::Question;
use super::tokens::Tokens;
use crate::base::printable;
use crate::ssh::methods::Method;
use crate::ssh::settings::{
    AddressFamily, KeepAlive, SYSTEM_KNOWN_HOSTS, Settings, USER_KNOWN_HOSTS, UnknownHostKey, Via,
};

/// Everything that was asked and answered.
pub(super) struct Answers {
    pub(super) of: BTreeMap<Question, Answer>,
    /// What `ssh` says where nobody says anything.
    pub(super) defaults: Answer,
}

impl Answers {
    /// Whether the way to a host never ends.
    pub(super) fn leads_in_a_circle(&self, question: &Question) -> bool {
        let mut question = question.clone();
        for _ in 0..=self.of.len() {
            let next = self.of.get(&question).and_then(|answer| question.next(answer).ok().flatten());
            match next {
                Some(next) => question = next,
                None => return false,
            }
        }
        true
    }

    /// The way to the host that `question` is about, jump hosts and all.
    pub(super) fn settings(&self, name: &str, question: &Question) -> Result<Settings, String> {
        let answer = self.of.get(question).unwrap_or(&self.defaults);
        let tokens = Tokens::of(question, answer);
        let said = |keyword: &str| answer.all(keyword).first().cloned().unwrap_or_default();
        let bare = Settings::to(name, &said("hostname"), &said("user"));
        Ok(Settings {
            port: answer.number("port").unwrap_or(bare.port),
            via: self.via(question, answer, &tokens)?,
            methods: methods(answer),
            identities: self.identities(answer, &tokens)?,
            certificates: paths(answer, "certificatefile", "CertificateFile", &tokens)?,
            identities_only: answer.yes("identitiesonly"),
            agent: agent(answer, &tokens, bare.agent)?,
            known_hosts: self.known_hosts(question, answer)?,
            host_key_alias: answer.one("hostkeyalias").map(str::to_owned),
            revoked_host_keys: paths(answer, "revokedhostkeys", "RevokedHostKeys", &tokens)?.pop(),
            hash_known_hosts: answer.yes("hashknownhosts"),
            unknown_host_key: unknown_host_key(answer),
            connect_timeout: bare.connect_timeout,
            // To ssh 0 is no limit.
            dial_timeout: answer.number("connecttimeout").filter(|seconds| *seconds > 0).map(Duration::from_secs),
            keep_alive: keep_alive(answer).unwrap_or(bare.keep_alive),
            address_family: address_family(answer),
            bind_address: answer.one("bindaddress").map(str::to_owned),
            environment: environment(answer, variables()),
            password: bare.password,
            root: bare.root,
            sudo_password: bare.sudo_password,
            name: bare.name,
            address: bare.address,
            user: bare.user,
        })
    }

    fn via(&self, question: &Question, answer: &Answer, tokens: &Tokens<'_>) -> Result<Via, String> {
        if let Some(jump) = question.next(answer)? {
            let mut last = self.settings(&jump.host, &jump)?;
            let mut jumps = match std::mem::take(&mut last.via) {
                Via::Jumps(before) => before,
                first => {
                    last.via = first;
                    Vec::new()
                }
            };
            jumps.push(last);
            return Ok(Via::Jumps(jumps));
        }
        match answer.one("proxycommand") {
            Some(command) => Ok(Via::Command(tokens.expand("ProxyCommand", command)?)),
            None => Ok(Via::Direct),
        }
    }

    /// None where ssh_config names none: then the usual ones need not be there.
    fn identities(&self, answer: &Answer, tokens: &Tokens<'_>) -> Result<Vec<PathBuf>, String> {
        if answer.all("identityfile") == self.defaults.all("identityfile") {
            return Ok(Vec::new());
        }
        paths(answer, "identityfile", "IdentityFile", tokens)
    }

    fn known_hosts(&self, question: &Question, answer: &Answer) -> Result<Vec<PathBuf>, String> {
        let keywords = [
            ("userknownhostsfile", "UserKnownHostsFile", USER_KNOWN_HOSTS),
            ("globalknownhostsfile", "GlobalKnownHostsFile", SYSTEM_KNOWN_HOSTS),
        ];
        let is_said = |keyword: &str| answer.all(keyword) != self.defaults.all(keyword);
        if !keywords.iter().any(|(keyword, ..)| is_said(keyword)) {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for (keyword, shown, usual) in keywords {
            if !is_said(keyword) {
                files.extend(usual.map(PathBuf::from));
                continue;
            }
            for line in answer.all(keyword) {
                files.extend(path_list::paths(line).map_err(|reason| {
                    let (host, line) = (&question.host, printable(line));
                    format!("{shown} of {host}: `{line}` may be one path or several, and {reason}; name paths without blanks")
                })?);
            }
        }
        // The first is where new keys go: for a user without a file that is nowhere, and not the system's.
        let nowhere = |file: PathBuf| if file.as_os_str() == "none" { PathBuf::from("/dev/null") } else { file };
        Ok(files.into_iter().map(nowhere).collect())
    }
}

fn paths(answer: &Answer, keyword: &str, shown: &str, tokens: &Tokens<'_>) -> Result<Vec<PathBuf>, String> {
    let named = answer.all(keyword).iter().filter(|path| *path != "none");
    named.map(|path| tokens.expand_path(shown, path).map(PathBuf::from)).collect()
}

fn agent(answer: &Answer, tokens: &Tokens<'_>, usual: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    let of_variable = |name: &str| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match answer.all("identityagent").first().map(String::as_str) {
        None | Some("SSH_AUTH_SOCK") => Ok(usual),
        Some("none") => Ok(None),
        Some(text) => match text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => Ok(of_variable(name)),
            None => tokens.expand_path("IdentityAgent", text).map(|path| Some(PathBuf::from(path))),
        },
    }
}

/// Those of `PreferredAuthentications`, in its order, without what has an option of its own that says no.
fn methods(answer: &Answer) -> Vec<Method> {
    let allowed = |method: &Method| {
        let keyword = match method {
            Method::PublicKey => "pubkeyauthentication",
            Method::KeyboardInteractive => "kbdinteractiveauthentication",
            Method::Password => "passwordauthentication",
        };
        !matches!(answer.one(keyword), Some("no" | "false"))
    };
    let all = Method::ALL.into_iter().filter(allowed);
    let Some(preferred) = answer.all("preferredauthentications").first() else { return all.collect() };
    let all: Vec<Method> = all.collect();
    preferred.split(',').filter_map(|name| all.iter().find(|method| method.name() == name).copied()).collect()
}

fn unknown_host_key(answer: &Answer) -> UnknownHostKey {
    match answer.one("stricthostkeychecking") {
        Some("accept-new" | "no" | "off" | "false") => UnknownHostKey::Write,
        _ => UnknownHostKey::Refuse,
    }
}

/// None where ssh would send nothing, which is its default and cannot be told from a wish.
fn keep_alive(answer: &Answer) -> Option<KeepAlive> {
    let interval = answer.number("serveraliveinterval").filter(|seconds| *seconds > 0)?;
    let unanswered = answer.number("serveralivecountmax").filter(|count| *count > 0)?;
    Some(KeepAlive { interval: Duration::from_secs(interval), unanswered })
}

fn address_family(answer: &Answer) -> AddressFamily {
    match answer.one("addressfamily") {
        Some("inet") => AddressFamily::V4,
        Some("inet6") => AddressFamily::V6,
        _ => AddressFamily::Any,
    }
}

/// The way to `host` where `ssh -G` says `said` of it, and nothing of the jump hosts on the way.
#[cfg(any(test, fuzzing))]
pub(crate) fn settings_where(said: &str, host: &str) -> Result<Settings, String> {
    let question = Question { host: host.to_owned(), ..Question::default() };
    let of = BTreeMap::from([(question.clone(), Answer::read(said))]);
    Answers { of, defaults: Answer::default() }.settings(host, &question)
}
