use std::borrow::Cow;
use std::time::Duration;

use russh::keys::Algorithm;
use russh::{Preferred, cipher, client};

use super::settings::KeepAlive;

/// The client's settings, with `host_keys` as the order in which host keys are asked for, after those with `certificates`.
pub fn config(host_keys: Vec<Algorithm>, certificates: Vec<Algorithm>, keep_alive: KeepAlive) -> client::Config {
    let rounds = u32::try_from(keep_alive.unanswered).unwrap_or(u32::MAX).saturating_add(1);
    client::Config {
        preferred: Preferred {
            key: Cow::Owned(host_keys),
            host_key_certificates: Cow::Owned(certificates),
            cipher: Cow::Borrowed(if has_aes() { AES_FIRST } else { CHACHA_FIRST }),
            ..Preferred::DEFAULT
        },
        // 2 MiB, the default, caps a download at 11 MB/s on a 100 ms link.
        window_size: 16 << 20,
        // In messages of 32 kB; 100, the default, lets one channel hold 48 MB.
        channel_buffer_size: 16,
        keepalive_interval: Some(keep_alive.interval),
        keepalive_max: keep_alive.unanswered,
        // Keepalives run only after login, and their answers must have the time to come.
        inactivity_timeout: Some(Duration::from_secs(60).max(keep_alive.interval.saturating_mul(rounds))),
        nodelay: true,
        ..client::Config::default()
    }
}

const AES_FIRST: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

const CHACHA_FIRST: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// Whether the processor computes AES itself.
fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}
