use std::ffi::OsString;
use std::path::Path;

use clap::Subcommand;

use super::{pnuke, prsync, pscp, pslurp, pssh};
use crate::cli::Exit;

/// pssh's programs.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Face {
    Pssh(pssh::PsshArgs),
    Pscp(pscp::PscpArgs),
    Pslurp(pslurp::PslurpArgs),
    Prsync(prsync::PrsyncArgs),
    Pnuke(pnuke::PnukeArgs),
}

impl Face {
    pub(in crate::cli) async fn run(self) -> Exit {
        match self {
            Self::Pssh(args) => pssh::run(args).await,
            Self::Pscp(args) => pscp::run(args).await,
            Self::Pslurp(args) => pslurp::run(args).await,
            Self::Prsync(args) => prsync::run(args).await,
            Self::Pnuke(args) => pnuke::run(args).await,
        }
    }
}

/// The arguments as `kfleet PROGRAM ...` would have them, where the binary was called by one of pssh's names.
pub(in crate::cli) fn called(arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().and_then(|name| Path::new(name).file_name()).and_then(|name| name.to_str());
    let command = match name {
        Some("pssh" | "parallel-ssh") => "pssh",
        Some("pscp" | "pscp.pssh" | "parallel-scp") => "pscp",
        Some("pslurp" | "parallel-slurp") => "pslurp",
        Some("prsync" | "parallel-rsync") => "prsync",
        Some("pnuke" | "parallel-nuke") => "pnuke",
        _ => return arguments,
    };
    let rest = arguments.into_iter().skip(1);
    ["kfleet", command].map(OsString::from).into_iter().chain(rest).collect()
}
