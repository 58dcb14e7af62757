use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgAction;

use super::entry::{self, Entry};
use super::environment::Environment;
use super::extra::Extra;
use super::glob::Glob;
use super::number::number;
use crate::cli::Exit;
use crate::cli::exit::complain;

/// What all of pssh's programs take.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true, args_override_self = true, infer_long_args = true)]
pub(super) struct CommonArgs {
    /// Hosts of this file: a line is `[user@]host[:port]` or `host[:port] user`, `#` begins a comment; repeats
    #[arg(short = 'h', long = "hosts", value_name = "HOST_FILE", allow_hyphen_values = true)]
    host_files: Vec<OsString>,

    /// More hosts, as `[user@]host[:port]` and blanks between them; repeats. One that is named twice is worked on twice
    #[arg(short = 'H', long = "host", value_name = "HOST_STRING", allow_hyphen_values = true)]
    host_strings: Vec<String>,

    /// Of the hosts of files only those that this shell's pattern matches
    #[arg(short = 'g', long, value_name = "PATTERN", allow_hyphen_values = true)]
    host_glob: Option<String>,

    /// Log in as this user, where the host's entry names none
    #[arg(short = 'l', long, value_name = "USER", allow_hyphen_values = true)]
    user: Option<String>,

    /// How many hosts are worked on at once [default: 32]
    #[arg(short, long, value_name = "PAR", allow_hyphen_values = true, value_parser = number)]
    par: Option<i64>,

    /// Keep each host's stdout in a file of this directory, `[user@]host[:port][.n]`
    #[arg(short, long, value_name = "OUTDIR", allow_hyphen_values = true)]
    outdir: Option<OsString>,

    /// Keep each host's stderr in a file of this directory
    #[arg(short, long, value_name = "ERRDIR", allow_hyphen_values = true)]
    errdir: Option<OsString>,

    /// Append to those files
    #[arg(long)]
    fileappend: bool,

    /// The longest that a host may take, in seconds; 0 is for ever [default: 60 for pssh and pnuke, 0 for the others]
    #[arg(short, long, value_name = "TIMEOUT", allow_hyphen_values = true, value_parser = number)]
    timeout: Option<i64>,

    /// An option of ssh_config, `Name=value`; repeats
    #[arg(short = 'O', long = "option", value_name = "OPTION", allow_hyphen_values = true)]
    options: Vec<String>,

    /// Tell more (prsync: what rsync tells with -v)
    #[arg(short, long)]
    verbose: bool,

    /// Ask for one password, on the terminal and before connecting: it is every host's, and opens locked keys
    #[arg(short = 'A', long)]
    askpass: bool,

    #[command(flatten)]
    extra: Extra,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Print version
    #[arg(long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// How each host's output is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Show {
    /// Stdout and stderr, after the host's line.
    pub(super) inline: bool,
    /// Stdout alone, after the host's line.
    pub(super) inline_stdout: bool,
    /// As it comes.
    pub(super) print: bool,
    /// Without the hosts' lines.
    pub(super) no_headers: bool,
}

/// What the command line and the environment come to.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) entries: Vec<Entry>,
    /// Who logs in where an entry does not say it.
    pub(super) user: Option<String>,
    pub(super) parallel: usize,
    pub(super) limit: Option<Duration>,
    pub(super) outdir: Option<PathBuf>,
    pub(super) errdir: Option<PathBuf>,
    pub(super) append: bool,
    /// As of `ssh -o`.
    pub(super) options: Vec<String>,
    pub(super) extra: Vec<String>,
    pub(super) verbose: bool,
    pub(super) askpass: bool,
    /// Whether it is not told why ssh failed.
    pub(super) quiet: bool,
    pub(super) show: Show,
    /// The variables, for what one program alone takes from them.
    pub(super) environment: Environment,
}

impl CommonArgs {
    /// Puts the command line before the environment and reads the hosts; `seconds` are allowed where neither says it. What is
    /// wrong has been told on stderr.
    pub(super) fn resolve(self, show: Show, seconds: i64) -> Result<Common, Exit> {
        let usage = |reason: &str| complain(Exit::Usage, reason);
        let environment = Environment::read().map_err(|reason| usage(&reason))?;
        if environment.hosts.is_some() {
            // Where stderr is gone there is nobody to warn.
            let _ = io::stderr().write_all(DEPRECATED);
        }
        let par = self.par.or(environment.par).unwrap_or(32);
        let parallel = usize::try_from(par).ok().filter(|par| *par > 0);
        let parallel = parallel.ok_or_else(|| usage("--par: at least one host has to be worked on at once"))?;
        let seconds = self.timeout.or(environment.timeout).unwrap_or(seconds);
        let glob = self.host_glob.as_deref().filter(|glob| !glob.is_empty()).map(Glob::new).transpose();
        let glob = glob.map_err(|reason| usage(&format!("--host-glob: {reason}")))?;
        let files: Vec<&OsString> = environment.hosts.iter().chain(&self.host_files).collect();
        if files.is_empty() && self.host_strings.is_empty() {
            return Err(usage("no hosts were named: -h FILE or -H \"HOST HOST\""));
        }
        let user = self.user.or_else(|| environment.user.clone()).filter(|user| !user.is_empty());
        let mut entries = Vec::new();
        for file in files {
            match entry::file(Path::new(file), glob.as_ref()) {
                Ok(mut found) => entries.append(&mut found),
                Err(error) => {
                    // pssh's words, with the file's name.
                    let reason = format!("Could not open hosts file: {}: {error}", Path::new(file).display());
                    return Err(complain(Exit::Local, &reason));
                }
            }
        }
        entries.extend(self.host_strings.iter().flat_map(|text| entry::words(text)));
        let directory = |said: Option<OsString>, variable: &Option<OsString>| {
            said.or_else(|| variable.clone()).filter(|path| !path.is_empty()).map(PathBuf::from)
        };
        Ok(Common {
            entries,
            user,
            parallel,
            limit: u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs),
            outdir: directory(self.outdir, &environment.outdir),
            errdir: directory(self.errdir, &environment.errdir),
            append: self.fileappend,
            options: environment.options.iter().cloned().chain(self.options).collect(),
            extra: self.extra.words,
            verbose: self.verbose || environment.verbose,
            askpass: self.askpass || environment.askpass,
            quiet: false,
            show: Show { inline: show.inline || environment.inline, print: show.print || environment.print, ..show },
            environment,
        })
    }
}

/// What pssh says of `PSSH_HOSTS`, word for word.
const DEPRECATED: &[u8] = b"Warning: the PSSH_HOSTS environment variable is deprecated.  Please
use the \"-h\" option instead, and consider creating aliases for
convenience.  For example:
    alias pssh_abc='pssh -h /path/to/hosts_abc'
";
