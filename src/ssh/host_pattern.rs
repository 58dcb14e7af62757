use std::io;

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::hmac;
use russh::keys::ssh_key::known_hosts::HostPatterns;

use crate::base::wildcard;

/// Whether a line's hosts name `host`, which is in lower case.
pub fn matches(patterns: &HostPatterns, host: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, host.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                let pattern = pattern.to_lowercase();
                match pattern.strip_prefix('!') {
                    // What is excluded stays so, wherever in the line it stands.
                    Some(pattern) if wildcard(pattern.as_bytes(), host.as_bytes()) => return false,
                    Some(_) => {}
                    None => found |= wildcard(pattern.as_bytes(), host.as_bytes()),
                }
            }
            found
        }
    }
}

/// What a line may have in place of `host`, which is in lower case: nobody reads from it where its user goes.
///
/// # Errors
/// When the system gives no random bytes.
pub fn hashed(host: &str) -> io::Result<String> {
    let mut salt = [0; 20];
    getrandom::fill(&mut salt).map_err(io::Error::other)?;
    let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), host.as_bytes());
    Ok(format!("|1|{}|{}", BASE64_STANDARD.encode(salt), BASE64_STANDARD.encode(hash)))
}

#[cfg(test)]
mod tests {
    use super::{hashed, matches};

    #[test]
    fn a_hash_names_its_host_alone() {
        let (one, other) = (hashed("[web1]:2222").unwrap(), hashed("[web1]:2222").unwrap());
        assert_ne!(one, other);
        for (host, expected) in [("[web1]:2222", true), ("web1", false)] {
            assert_eq!(matches(&one.parse().unwrap(), host), expected, "{one} {host}");
        }
    }

    #[test]
    fn hosts_are_named_as_in_openssh() {
        // Made by `ssh-keygen -H`.
        let web1 = "|1|uulb0Ui16d6bcF2+ES0c69FS3QU=|gpDjHUcI7S8R1AnaLS8lbGDENyw=";
        let cases = [
            ("web1", "web1", true),
            ("web1", "web10", false),
            ("WEB1", "web1", true),
            ("a,web1,b", "web1", true),
            ("web?", "web1", true),
            ("*.example.com", "web1.example.com", true),
            ("*.example.com", "example.com", false),
            ("*", "[web1]:2222", true),
            ("web1", "[web1]:2222", false),
            ("[web1]:2222", "[web1]:2222", true),
            ("[web*]:2222", "[web1]:2222", true),
            ("web1,!web1", "web1", false),
            ("!web1,*", "web1", false),
            ("!web1,*", "web2", true),
            ("!web1", "web2", false),
            (web1, "web1", true),
            (web1, "web2", false),
        ];
        for (hosts, host, expected) in cases {
            assert_eq!(matches(&hosts.parse().unwrap(), host), expected, "{hosts} {host}");
        }
    }
}
