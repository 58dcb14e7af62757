use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Exit;
use super::command_line::CommandLine;
use super::exit::complain;

/// Print the manual page, or write all of them to a directory
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct ManArgs {
    /// Write a page for kfleet and one for each command to this directory, which is made where it is missing
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const AFTER: &str = "Examples:
  kfleet man | man -l -
  kfleet man --dir ~/.local/share/man/man1";

pub(super) fn run(args: &ManArgs) -> Exit {
    let mut kfleet = CommandLine::command();
    kfleet.build();
    let Some(dir) = &args.dir else {
        return Exit::written(&page(kfleet).and_then(|page| io::stdout().write_all(&page)));
    };
    match fs::create_dir_all(dir).and_then(|()| write_all(&kfleet, dir)) {
        Ok(()) => Exit::SUCCESS,
        Err(error) => complain(Exit::Local, &format!("cannot write manual pages to {}: {error}", dir.display())),
    }
}

/// A page for the command, and one for each that it has.
fn write_all(command: &clap::Command, dir: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(dir.join(format!("{name}.1")), page(command.clone())?)?;
    command.get_subcommands().filter(|part| part.get_name() != "help").try_for_each(|part| write_all(part, dir))
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let after = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let has_commands = command.has_subcommands();
    let man = Man::new(command).manual("kfleet").source(concat!("kfleet ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_commands {
        man.render_subcommands_section(&mut page)?;
    }
    sections(&after).to_writer(&mut page)?;
    Ok(page)
}

/// The sections that the help texts end with, `Heading:` and indented lines below it, as sections of a manual page;
/// clap_mangen would fill them into one paragraph called "EXTRA".
fn sections(after: &str) -> Roff {
    let mut roff = Roff::new();
    for line in after.lines().filter(|line| !line.is_empty()) {
        match line.strip_suffix(':') {
            Some(heading) if !line.starts_with(' ') => {
                roff.control("SH", [heading.to_uppercase().as_str()]);
            }
            _ => {
                roff.text([roman(line.trim_start())]);
                roff.control("br", []);
            }
        }
    }
    roff
}
