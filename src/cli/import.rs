//! An inventory made of what other tools have: `kfleet import`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::import::{ImportError, Kind, Notes, Source, import};
use crate::inventory::Workstation;

use super::exit::complain;
use super::{Exit, inventory_report};

/// Make an inventory of a pssh hosts file, an Ansible inventory or an ssh_config
///
/// Names, addresses, users, ports, keys, groups and variables of one value are carried over; what cannot be is said on
/// stderr, with its file and line. Secrets are left out. Nothing is connected to.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER, override_usage = "kfleet import [OPTIONS] [pssh|ansible|ssh-config] FILE")]
pub(super) struct ImportArgs {
    /// What the file is, which is found out where it is left out, and the file; `-` is stdin, and `ssh-config` alone is
    /// ~/.ssh/config
    #[arg(value_names = ["KIND", "FILE"], num_args = 1..=2, required = true)]
    what: Vec<PathBuf>,

    /// Write the inventory to this file, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write it even where it is there
    #[arg(long, requires = "output")]
    force: bool,

    /// The host that becomes the control plane; else groups such as kube_control_plane or masters tell, else it is the first
    #[arg(long, value_name = "NAME")]
    control_plane: Option<String>,
}

const AFTER: &str = "Examples:
  kfleet import pssh ~/hosts/kube -o inventory.toml
  kfleet import ansible inventory/mycluster/hosts.yaml --control-plane node1 > inventory.toml
  kfleet import ssh-config
  kfleet import hosts.ini | less

Exit status:
  0  the inventory was written; what was left out of it is on stderr
  1  a file could not be read or written
  2  there are no hosts in it that an inventory can take, or the command line is wrong";

/// What is read of a file that is no list of hosts.
const LARGEST_FILE: u64 = 16 << 20;

pub(super) fn run(args: &ImportArgs) -> Exit {
    let workstation = Workstation::from_environment();
    let (kind, file) = match asked(&args.what, &workstation) {
        Ok(asked) => asked,
        Err(reason) => return complain(Exit::Usage, &reason),
    };
    let text = match read(&file) {
        Ok(text) => text,
        Err(error) => return complain(Exit::Local, &format!("cannot read {}: {error}", file.display())),
    };
    let kind = match kind {
        None => Kind::detect(&file, &text),
        Some(Word::Pssh) => Kind::Pssh,
        Some(Word::Ansible) => Kind::of_ansible(&file, &text),
        Some(Word::SshConfig) => Kind::SshConfig,
    };
    // An inventory may have to name it, and is somewhere else.
    let file = match kind {
        Kind::SshConfig if file != Path::new("-") => std::path::absolute(&file).unwrap_or(file),
        _ => file,
    };
    let mut notes = Notes::default();
    let source = Source { file: &file, text: &text };
    let imported = import(source, kind, args.control_plane.as_deref(), &workstation, &mut notes);
    for note in notes.into_inner() {
        // Where stderr is gone there is nobody to tell.
        let _ = writeln!(io::stderr(), "kfleet: {}: {}", note.at, note.text);
    }
    let imported = match imported {
        Ok(imported) => imported,
        Err(ImportError::Invalid(error)) => return complain(Exit::Usage, &inventory_report::plain(&error)),
        Err(error) => return complain(Exit::Usage, &error.to_string()),
    };
    match &args.output {
        None => Exit::written(&io::stdout().write_all(imported.text.as_bytes())),
        Some(path) => match write(path, &imported.text, args.force) {
            Ok(()) => Exit::SUCCESS,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                complain(Exit::Local, &format!("{} is there already; --force writes over it", path.display()))
            }
            Err(error) => complain(Exit::Local, &format!("cannot write {}: {error}", path.display())),
        },
    }
}

/// A kind as it is written on the command line.
#[derive(Debug, Clone, Copy)]
enum Word {
    Pssh,
    Ansible,
    SshConfig,
}

impl Word {
    fn read(word: &Path) -> Option<Self> {
        match word.to_str()? {
            "pssh" => Some(Self::Pssh),
            "ansible" => Some(Self::Ansible),
            "ssh-config" => Some(Self::SshConfig),
            _ => None,
        }
    }
}

fn asked(what: &[PathBuf], workstation: &Workstation) -> Result<(Option<Word>, PathBuf), String> {
    match what {
        [word, file] => match Word::read(word) {
            Some(word) => Ok((Some(word), file.clone())),
            None => Err(format!("there is no kind `{}`; there are pssh, ansible and ssh-config", word.display())),
        },
        [only] => match (Word::read(only), &workstation.home) {
            (None, _) => Ok((None, only.clone())),
            (Some(Word::SshConfig), Some(home)) => Ok((Some(Word::SshConfig), home.join(".ssh/config"))),
            (Some(_), _) => {
                let word = only.display();
                Err(format!("which file? `kfleet import {word} FILE`; a file of that name is ./{word}"))
            }
        },
        _ => Err("a file is needed".to_owned()),
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().take(LARGEST_FILE).read_to_string(&mut text)?;
    } else {
        File::open(file)?.take(LARGEST_FILE).read_to_string(&mut text)?;
    }
    if text.len() as u64 == LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 16 MiB, which is no list of hosts"));
    }
    Ok(text)
}

fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path)?.write_all(text.as_bytes())
}
