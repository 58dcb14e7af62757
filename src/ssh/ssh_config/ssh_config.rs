use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::question::Question;
use super::settings::Answers;
use super::unhonoured::Unhonoured;
use super::wanted::Wanted;
use crate::inventory::{ConfigFile, Workstation};
use crate::ssh::settings::{Settings, Via};

/// ssh_config as a command line chooses it, and whom to ask what it says.
#[derive(Debug)]
pub struct SshConfig {
    config: Option<ConfigFile>,
    options: Vec<String>,
    client: Option<PathBuf>,
}

/// The ways to hosts.
#[derive(Debug)]
pub struct Resolved {
    /// As many as were wanted, in their order.
    pub settings: Vec<Settings>,
    /// What a person is to be told once, before anything is dialled.
    pub remarks: Vec<String>,
}

/// More jump hosts than any way has: they lead in a circle.
const LONGEST_WAY: usize = 16;

impl SshConfig {
    /// `config` is ssh's `-F`, `options` are its `-o`; both come before everything that an inventory says. The `ssh` of `PATH` is
    /// asked.
    #[must_use]
    pub fn new(config: Option<ConfigFile>, options: Vec<String>) -> Self {
        let paths = env::var_os("PATH").unwrap_or_default();
        let client = env::split_paths(&paths).map(|path| path.join("ssh"));
        let client = client.filter(|path| path.is_absolute()).find(|path| path.is_file());
        Self { config, options, client }
    }

    /// How each host is reached. Blocks for as long as `ssh -G` takes, asked once for each that differs.
    ///
    /// # Errors
    /// Where `ssh` refuses what ssh_config or `-o` say, or says something that cannot be followed.
    pub fn resolve(&self, wanted: &[Wanted]) -> Result<Resolved, String> {
        let questions: Vec<Question> = wanted.iter().map(|wanted| self.question(wanted)).collect();
        let mut remarks = Vec::new();
        if self.client.is_none() {
            remarks.extend(self.without_client(&questions)?);
        }
        let answers = self.answers(&questions)?;
        let settings = wanted
            .iter()
            .zip(&questions)
            .map(|(wanted, question)| Ok(self.over(wanted, answers.settings(&wanted.name, question)?)));
        let settings = settings.collect::<Result<_, String>>()?;
        let mut unhonoured = Unhonoured::default();
        for (question, answer) in &answers.of {
            unhonoured.note(&question.host, answer, &answers.defaults);
        }
        remarks.extend(unhonoured.told());
        Ok(Resolved { settings, remarks })
    }

    fn question(&self, wanted: &Wanted) -> Question {
        let jump = wanted.jump.as_ref().filter(|_| !self.has("proxyjump") && !self.has("proxycommand"));
        Question {
            host: wanted.address.clone(),
            user: wanted.user.clone().filter(|_| !self.has("user")),
            port: wanted.port.filter(|_| !self.has("port")),
            jump: jump.map(|hosts| if hosts.is_empty() { "none".to_owned() } else { hosts.join(",") }),
            options: self.options.clone(),
            config: self.config.clone().or_else(|| wanted.config.clone()),
        }
    }

    /// What is said of a host elsewhere, over what ssh_config says; what `-o` says stays.
    fn over(&self, wanted: &Wanted, mut settings: Settings) -> Settings {
        if let Some(patience) = wanted.connect_timeout.or(wanted.patience) {
            settings.connect_timeout = patience;
        }
        give_room(&mut settings);
        if let Some(all) = wanted.connect_timeout.filter(|_| !self.has("connecttimeout")) {
            (settings.connect_timeout, settings.dial_timeout) = (all, None);
        }
        self.keys_over(wanted, &mut settings);
        // The jump hosts that are named there too; what lies before them is ssh_config's alone.
        let named = wanted.jump.as_ref().map_or(0, Vec::len);
        if let Via::Jumps(jumps) = &mut settings.via
            && !self.has("proxyjump")
        {
            jumps.iter_mut().rev().take(named).for_each(|jump| self.keys_over(wanted, jump));
        }
        settings
    }

    fn keys_over(&self, wanted: &Wanted, settings: &mut Settings) {
        if !wanted.identities.is_empty() && !self.has("identityfile") {
            settings.identities.clone_from(&wanted.identities);
        }
        if !wanted.known_hosts.is_empty() && !self.has("userknownhostsfile") && !self.has("globalknownhostsfile") {
            settings.known_hosts.clone_from(&wanted.known_hosts);
        }
    }

    /// Whether an `-o` says something under this keyword: `Keyword=value` or `Keyword value`.
    fn has(&self, keyword: &str) -> bool {
        let said = |option: &String| {
            let option = option.trim_start();
            let end = option.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(option.len());
            option[..end].eq_ignore_ascii_case(keyword)
        };
        self.options.iter().any(said)
    }

    /// What becomes of ssh_config where nobody can be asked.
    fn without_client(&self, questions: &[Question]) -> Result<Option<String>, String> {
        if !self.options.is_empty() {
            return Err("-o needs the OpenSSH client, and there is no `ssh` in PATH".to_owned());
        }
        let users = || etcetera::home_dir().ok().map(|home| home.join(".ssh/config")).filter(|path| path.exists());
        let ignored = questions.iter().find_map(|question| match &question.config {
            Some(ConfigFile::At(path)) => Some(path.clone()),
            Some(ConfigFile::Nothing) => None,
            None => users(),
        });
        Ok(ignored.map(|path| {
            format!("{} is not read: that needs the OpenSSH client, and there is no `ssh` in PATH", path.display())
        }))
    }

    /// Asks, and goes on to ask for the jump hosts that are answered.
    fn answers(&self, questions: &[Question]) -> Result<Answers, String> {
        let nothing = Question { host: "localhost".into(), config: Some(ConfigFile::Nothing), ..Question::default() };
        let mut of = BTreeMap::new();
        let mut asked: BTreeSet<Question> = questions.iter().cloned().chain([nothing.clone()]).collect();
        for _ in 0..=LONGEST_WAY {
            let answers = self.ask_all(asked.into_iter().collect())?;
            asked = BTreeSet::new();
            for (question, answer) in answers {
                asked.extend(question.next(&answer)?);
                of.insert(question, answer);
            }
            asked.retain(|question| !of.contains_key(question));
            if asked.is_empty() {
                break;
            }
        }
        let endless = |host: &str| format!("the jump hosts on the way to {host} lead in a circle");
        if let Some(Question { host, .. }) = asked.first() {
            return Err(endless(host));
        }
        let answers = Answers { defaults: of.remove(&nothing).unwrap_or_default(), of };
        match questions.iter().find(|question| answers.leads_in_a_circle(question)) {
            Some(Question { host, .. }) => Err(endless(host)),
            None => Ok(answers),
        }
    }

    /// All answers, asked for by twice as many threads as there are processors.
    fn ask_all(&self, questions: Vec<Question>) -> Result<Vec<(Question, Answer)>, String> {
        let Some(client) = &self.client else {
            let user = Workstation::from_environment().user.ok_or("cannot tell who is to log in")?;
            let answers = questions.into_iter().map(|question| {
                let answer = question.answered_without_config(&user)?;
                Ok((question, answer))
            });
            return answers.collect();
        };
        let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(questions.len());
        let (open, answers) = (Mutex::new(questions), Mutex::new(Ok(Vec::new())));
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| ask_until_done(client, &open, &answers));
            }
        });
        answers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What ssh_config allows for dialling, here and on the way, is not taken from the time for the logins, of which ssh counts none.
fn give_room(settings: &mut Settings) {
    let mut room = Duration::ZERO;
    let mut give = |settings: &mut Settings| {
        room = room.saturating_add(settings.dial_timeout.unwrap_or_default());
        settings.connect_timeout = settings.connect_timeout.saturating_add(room);
    };
    if let Via::Jumps(jumps) = &mut settings.via {
        jumps.iter_mut().for_each(&mut give);
    }
    give(settings);
}

/// Takes questions one by one; nothing more is asked after the first that has no answer.
fn ask_until_done(
    client: &Path,
    open: &Mutex<Vec<Question>>,
    answers: &Mutex<Result<Vec<(Question, Answer)>, String>>,
) {
    loop {
        let Some(question) = open.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
        let answer = question.ask(client);
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *answers, answer) {
            (Err(_), _) => return,
            (Ok(all), Ok(answer)) => all.push((question, answer)),
            (answers, Err(error)) => *answers = Err(error),
        }
    }
}
