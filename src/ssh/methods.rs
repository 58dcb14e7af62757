use russh::MethodKind;

/// A way to prove who one is that kfleet knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A key or a certificate.
    PublicKey,
    /// Answers to the server's questions, of which kfleet can answer the one for the password.
    KeyboardInteractive,
    /// The password.
    Password,
}

impl Method {
    /// All of them, in the order in which ssh tries them where nobody says another.
    pub const ALL: [Self; 3] = [Self::PublicKey, Self::KeyboardInteractive, Self::Password];

    /// As SSH names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublicKey => "publickey",
            Self::KeyboardInteractive => "keyboard-interactive",
            Self::Password => "password",
        }
    }

    pub(super) const fn kind(self) -> MethodKind {
        match self {
            Self::PublicKey => MethodKind::PublicKey,
            Self::KeyboardInteractive => MethodKind::KeyboardInteractive,
            Self::Password => MethodKind::Password,
        }
    }
}
