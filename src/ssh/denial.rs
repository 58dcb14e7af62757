use russh::MethodSet;

use super::methods::Method;
use crate::host::HostError;

/// What is known of a login that failed.
pub struct Denial<'a> {
    /// Who wanted to log in.
    pub user: String,
    /// What was offered and what could not be, each with what became of it.
    pub notes: Vec<String>,
    /// What may be tried at all.
    pub methods: &'a [Method],
    /// What the server would still take.
    pub takes: MethodSet,
    /// Whether the connection is gone.
    pub hung_up: bool,
    /// What was right, but not enough.
    pub proven: Vec<&'static str>,
    /// Whether the server was shown anything.
    pub offered: bool,
    /// Whether it was told a password that it did not take.
    pub told: bool,
    /// Whether there is a password.
    pub has_password: bool,
}

impl Denial<'_> {
    /// The same for the person at the keyboard, with what helps.
    pub fn into_error(self) -> HostError {
        let takes = self.takes.iter().map(<&str>::from).collect::<Vec<_>>().join(", ");
        let mut said = self.notes.clone();
        let forbidden: Vec<_> =
            Method::ALL.into_iter().filter(|method| self.is_forbidden(*method)).map(Method::name).collect();
        if said.is_empty() && self.proven.is_empty() {
            let keys = self.methods.contains(&Method::PublicKey);
            said.push(if keys { "there is no key to offer" } else { "nothing was offered" }.to_owned());
        }
        // russh shows "too many authentication failures" as a refusal with nothing left to try.
        let hung_up = self.offered && (self.hung_up || takes.is_empty());
        if hung_up {
            said.push("then the server hung up".to_owned());
        } else if !self.proven.is_empty() {
            said.push(format!("{} was right, but the server also wants {takes}", self.proven.join(" and ")));
        } else if !takes.is_empty() {
            said.push(format!("the server still takes {takes}"));
        }
        if !forbidden.is_empty() {
            said.push(format!("ssh_config does not allow {}", forbidden.join(", ")));
        }
        let hint = self.hint(hung_up);
        HostError::Authentication { user: self.user, reason: said.join("; "), hint }
    }

    /// Whether the server takes it, and ssh_config keeps kfleet from trying.
    fn is_forbidden(&self, method: Method) -> bool {
        self.takes.contains(&method.kind()) && !self.methods.contains(&method)
    }

    fn hint(&self, hung_up: bool) -> String {
        let takes = |method: Method| self.takes.contains(&method.kind()) && self.methods.contains(&method);
        let user = &self.user;
        if hung_up {
            let password =
                if self.has_password && !self.told { "; or leave the agent out: `env -u SSH_AUTH_SOCK`" } else { "" };
            return format!(
                "servers hang up after a few wrong keys (MaxAuthTries): name the right one as `identities` in the \
                 inventory, it is offered first{password}"
            );
        }
        if self.told {
            return format!(
                "is it {user}'s password on this host? each host is told it once, so that no account is locked"
            );
        }
        let wants_password = takes(Method::Password) || takes(Method::KeyboardInteractive);
        let mut ways = Vec::new();
        if takes(Method::PublicKey) || self.takes.is_empty() {
            ways.push(match self.offered {
                true => format!(
                    "is one of these in {user}'s authorized_keys on the host? `ssh-copy-id` puts it there; `identities` \
                     in the inventory names another"
                ),
                false => format!(
                    "name a private key as `identities` in the inventory, or load one into an ssh-agent; {user}'s \
                     authorized_keys on the host must have it"
                ),
            });
        }
        if wants_password && !self.has_password {
            ways.push(format!("give kfleet {user}'s password: `-k` asks for it (`-A` where pssh's flags are used)"));
        }
        if ways.is_empty() && Method::ALL.into_iter().any(|method| self.is_forbidden(method)) {
            ways.push(
                "see PreferredAuthentications, PubkeyAuthentication, PasswordAuthentication and KbdInteractiveAuthentication \
                 in what `ssh -G` says of the host"
                    .to_owned(),
            );
        }
        if ways.is_empty() {
            ways.push(format!("kfleet has no more to offer: let {user} in with a key, a password, or both"));
        }
        ways.join("; or ")
    }
}
