/// What to say to a question of the server's.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It asks for the password.
    Password,
    /// Nothing, for this reason.
    None(&'static str),
}

/// Decides on a prompt of keyboard-interactive: `echo` is whether what is typed may be seen, `told` whether the password has been
/// said already.
///
/// The password is the answer to nothing but the question for it: not to one for a code, and not to one for a new password.
pub fn answer(prompt: &str, echo: bool, told: bool) -> Answer {
    let prompt = prompt.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| prompt.contains(word));
    if has(&["new", "current", "retype", "again", "change", "expired"]) {
        return Answer::None("the password has to be changed, which kfleet does not do");
    }
    if echo || !has(&["password"]) || has(&["one-time", "one time", "otp", "code", "token", "factor"]) {
        return Answer::None("kfleet answers only for a password");
    }
    if told { Answer::None("it was told the password once, and is not told it again") } else { Answer::Password }
}

#[cfg(test)]
mod tests {
    use super::{Answer, answer};

    #[test]
    fn only_the_question_for_the_password_is_answered_with_it() {
        for (prompt, echo, password) in [
            ("Password: ", false, true),
            ("(admin@h1) Password: ", false, true),
            ("admin's password:", false, true),
            ("Password: ", true, false),
            ("login: ", true, false),
            ("Verification code: ", false, false),
            ("One-time password (OATH) for `admin': ", false, false),
            ("Password & verification code: ", false, false),
            ("Current password: ", false, false),
            ("New password: ", false, false),
            ("Retype new password: ", false, false),
            ("", false, false),
        ] {
            assert_eq!(answer(prompt, echo, false) == Answer::Password, password, "{prompt}");
            assert_ne!(answer(prompt, echo, true), Answer::Password, "{prompt}");
        }
    }
}
