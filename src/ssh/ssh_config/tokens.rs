use std::fs;
use std::os::unix::fs::MetadataExt;

use super::answer::Answer;
use super::question::Question;
use crate::inventory::Workstation;

/// What the tokens in ssh_config's values stand for, for one host.
pub(super) struct Tokens<'a> {
    question: &'a Question,
    answer: &'a Answer,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(question: &'a Question, answer: &'a Answer) -> Self {
        Self { question, answer }
    }

    /// `text` with its tokens replaced, as `%h` for the host; `keyword` is what it stands behind.
    ///
    /// # Errors
    /// At a token that there is not, as `ssh` does.
    pub(super) fn expand(&self, keyword: &str, text: &str) -> Result<String, String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            let token = rest.next();
            match token.and_then(|token| self.value(token)) {
                Some(value) => expanded += &value,
                None => {
                    let token = token.map(String::from).unwrap_or_default();
                    return Err(format!(
                        "{keyword} of {}: kfleet does not know the token `%{token}`",
                        self.question.host
                    ));
                }
            }
        }
        Ok(expanded)
    }

    /// As [`Tokens::expand`], with `${NAME}` replaced by what the environment has, before that.
    pub(super) fn expand_path(&self, keyword: &str, text: &str) -> Result<String, String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((name, after)) = behind.split_once('}') else { break };
            let value = std::env::var(name);
            let value = value.map_err(|_| format!("{keyword} of {}: there is no ${{{name}}}", self.question.host))?;
            expanded += before;
            expanded += &value;
            rest = after;
        }
        expanded += rest;
        self.expand(keyword, &expanded)
    }

    fn value(&self, token: char) -> Option<String> {
        let answered = |keyword| self.answer.one(keyword).map(str::to_owned);
        match token {
            '%' => Some("%".to_owned()),
            'd' => Some(etcetera::home_dir().ok()?.to_string_lossy().into_owned()),
            'h' => answered("hostname"),
            'i' => Some(fs::metadata("/proc/self").ok()?.uid().to_string()),
            'k' => answered("hostkeyalias").or_else(|| Some(self.question.host.clone())),
            'L' => Some(local_host()?.split('.').next()?.to_owned()),
            'l' => local_host(),
            'n' => Some(self.question.host.clone()),
            'p' => answered("port"),
            'r' => answered("user"),
            'u' => Workstation::from_environment().user,
            _ => None,
        }
    }
}

fn local_host() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::{Question, Tokens};

    #[test]
    fn tokens_stand_for_the_host() {
        let question = Question { host: "web".to_owned(), ..Question::default() };
        let answer = Answer::read("hostname 10.0.0.1\nuser ops\nport 2222\n");
        let tokens = Tokens::of(&question, &answer);
        for (text, expected) in
            [("nc %h %p", "nc 10.0.0.1 2222"), ("%r@%n%%h", "ops@web%h"), ("%k", "web"), ("plain", "plain")]
        {
            assert_eq!(tokens.expand("ProxyCommand", text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(
            tokens.expand("IdentityFile", "a%y").unwrap_err(),
            "IdentityFile of web: kfleet does not know the token `%y`"
        );
        assert!(tokens.expand("IdentityFile", "a%").is_err());
        let path = std::env::var("PATH").unwrap();
        assert_eq!(tokens.expand_path("IdentityFile", "x/${PATH}/%n").unwrap(), format!("x/{path}/web"));
        assert!(tokens.expand_path("IdentityFile", "${KFLEET_NO_SUCH_VARIABLE}").is_err());
    }
}
