use std::sync::Arc;
use std::time::Duration;

use super::askpass::{askpass, hand_over};
use super::common_args::Common;
use super::ssh_words::{Of, SshWords};
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::host::Connect;
use crate::ssh::{Dialer, Hops, Keyring, Settings, SshConfig, Wanted};

/// How long ssh would wait for a connection is for TCP and the server to say, unless ssh_config says it.
const PATIENCE: Duration = Duration::from_secs(600);

/// The hosts of `common`, in order and yet to be dialled, as ssh_config and -O, -x, -X lead to them. What is wrong has been told
/// on stderr.
pub(super) fn hosts(common: &mut Common, of: Of) -> Result<Vec<Arc<dyn Connect>>, Exit> {
    let usage = |reason: String| complain(Exit::Usage, &reason);
    let words = SshWords::read(&common.options, &common.extra, of).map_err(usage)?;
    common.quiet = words.quiet;
    common.environment.recursive |= words.recursive;
    let wanted = common.entries.iter().map(|entry| {
        let (user, port) = words.login(entry, common.user.as_ref());
        let port = port.map(|port| port.parse().map_err(|_| format!("`{port}` is no port"))).transpose()?;
        let (name, address) = (entry.shown(common.user.as_deref()), entry.host.clone());
        Ok(Wanted { name, address, user, port, patience: Some(PATIENCE), ..Wanted::default() })
    });
    let wanted = wanted.collect::<Result<Vec<_>, String>>().map_err(usage)?;
    let mut resolved = SshConfig::new(words.config, words.options).resolve(&wanted).map_err(usage)?;
    for remark in &resolved.remarks {
        complain(Exit::SUCCESS, remark);
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
    Ok(resolved.settings.into_iter().map(dialer).collect())
}
