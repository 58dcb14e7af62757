use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::askpass::{askpass, hand_over};
use super::common_args::Common;
use super::entry::{self, Entry};
use super::ssh_words::{Of, SshWords};
use crate::base::printable;
use crate::cli::Exit;
use crate::cli::exit::{complain, note};
use crate::host::{Connect, Host, HostError};
use crate::ssh::{Dialer, Hops, Keyring, Resolved, Settings, SshConfig, Wanted};

/// How long ssh would wait for a connection is for TCP and the server to say, unless ssh_config says it.
const PATIENCE: Duration = Duration::from_secs(600);

/// The hosts of `common`, in order and yet to be dialled, as ssh_config and -O, -x, -X lead to them. What is wrong has been told
/// on stderr; but what is wrong with one entry is its host's failure, of which ssh below pssh says it.
pub(super) fn hosts(common: &mut Common, of: Of) -> Result<Vec<Arc<dyn Connect>>, Exit> {
    let usage = |reason: String| complain(Exit::Usage, &reason);
    let words = SshWords::read(&common.options, &common.extra, of).map_err(usage)?;
    common.quiet = words.quiet;
    common.environment.recursive |= words.recursive;
    let config = SshConfig::new(words.config.clone(), words.options.clone());
    let mut wanted: Vec<_> = common.entries.iter().map(|entry| wanted(entry, &words, common)).collect();
    let mut resolved = resolve(&config, &wanted);
    if resolved.is_err() || wanted.iter().any(Result::is_err) {
        any_host(&config, &words, common).map_err(usage)?;
        set_apart(&config, &mut wanted);
        resolved = resolve(&config, &wanted);
    }
    let mut resolved = resolved.map_err(usage)?;
    for remark in &resolved.remarks {
        note(remark);
    }
    // But for -A no passphrase is asked for, of which ssh below pssh has no terminal to ask on either.
    let (keyring, hops) = (Arc::new(Keyring::new()), Arc::new(Hops::default()));
    if common.askpass {
        hand_over(&askpass()?, &mut resolved.settings, &keyring);
    }
    let dialer = |settings| {
        let settings = Settings { root: false, ..settings };
        Arc::new(Dialer::sharing(settings, Arc::clone(&keyring), Arc::clone(&hops))) as Arc<dyn Connect>
    };
    let mut settings = resolved.settings.into_iter();
    let host = |(entry, wanted): (&Entry, Result<Wanted, String>)| match wanted {
        Ok(_) => settings.next().map(dialer),
        Err(reason) => Some(Arc::new(Odd { entry: entry.clone(), reason }) as Arc<dyn Connect>),
    };
    Ok(common.entries.iter().zip(wanted).filter_map(host).collect())
}

fn wanted(entry: &Entry, words: &SshWords, common: &Common) -> Result<Wanted, String> {
    let (user, port) = words.login(entry, common.user.as_ref());
    let port = port.map(|port| port.parse().map_err(|_| format!("`{}` is no port", printable(&port)))).transpose()?;
    let (name, address) = (entry.shown(common.user.as_deref()), entry.host.clone());
    Ok(Wanted { name, address, user, port, patience: Some(PATIENCE), ..Wanted::default() })
}

/// What is wrong with any host is wrong with the command line or ssh_config.
fn any_host(config: &SshConfig, words: &SshWords, common: &Common) -> Result<(), String> {
    let any =
        entry::words("localhost").iter().map(|entry| wanted(entry, words, common)).collect::<Result<Vec<_>, _>>()?;
    config.resolve(&any).map(drop)
}

fn resolve(config: &SshConfig, wanted: &[Result<Wanted, String>]) -> Result<Resolved, String> {
    config.resolve(&wanted.iter().flatten().cloned().collect::<Vec<_>>())
}

/// Finds those that cannot be resolved, by halves.
fn set_apart(config: &SshConfig, wanted: &mut [Result<Wanted, String>]) {
    match (resolve(config, wanted), wanted) {
        (Ok(_), _) | (_, []) => {}
        (Err(reason), [one]) => *one = Err(reason),
        (Err(_), several) => {
            let (some, others) = several.split_at_mut(several.len() / 2);
            set_apart(config, some);
            set_apart(config, others);
        }
    }
}

/// An entry that leads nowhere.
struct Odd {
    entry: Entry,
    reason: String,
}

#[async_trait]
impl Connect for Odd {
    fn name(&self) -> &str {
        &self.entry.host
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        Err(HostError::Unusable { reason: format!("{}: {}", printable(&self.entry.place), self.reason) })
    }
}
