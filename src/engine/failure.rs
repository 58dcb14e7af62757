use crate::base::told;
use crate::events::{Failure, FailureKind};
use crate::host::HostError;

/// What a host could not do, as a failure of the run.
pub fn of_host(error: &HostError, step: Option<&str>) -> Failure {
    let kind = match error {
        HostError::Unusable { .. }
        | HostError::Resolve { .. }
        | HostError::Unreachable { .. }
        | HostError::Jump { .. }
        | HostError::HostKey { .. }
        | HostError::Authentication { .. }
        | HostError::Sudo { .. }
        | HostError::Lost { .. } => FailureKind::Unreachable,
        HostError::Deadline { .. } => FailureKind::Deadline,
    };
    Failure { kind, hint: error.hint().map(told), ..new(step, &error.to_string()) }
}

/// A failure of a step, in words.
pub fn of_step(step: &str, reason: &str) -> Failure {
    new(Some(step), reason)
}

/// Something on the workstation.
pub fn of_workstation(reason: &str) -> Failure {
    Failure { kind: FailureKind::Local, ..new(None, reason) }
}

/// The run was interrupted before this host was done.
pub fn of_interrupt(step: Option<&str>) -> Failure {
    let reason = "interrupted before it began";
    Failure {
        kind: FailureKind::Deadline,
        hint: Some("run the same command again: what is done stays done".to_owned()),
        ..new(step, reason)
    }
}

fn new(step: Option<&str>, reason: &str) -> Failure {
    Failure {
        kind: FailureKind::Step,
        step: step.map(str::to_owned),
        reason: told(reason),
        command: None,
        status: None,
        output: Vec::new(),
        hint: None,
    }
}
