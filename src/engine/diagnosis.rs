use std::time::Duration;

use crate::cluster::KubeadmFailure;
use crate::doctor;

use super::failure::show;
use super::frames::{Frames, Line};
use super::script::Script;
use super::session::{Session, Turn};

/// How many lines of a failed command's output a report shows.
const SHOWN_LINES: usize = 20;
/// The kubelet's state, then its last errors, or its last lines where none is an error. A kubelet that panics ends with the stacks
/// of all its goroutines, and one that lives talks much: neither says why.
const KUBELET: &str = "printf 'kubelet.service is %s\\n' \"$(systemctl is-active kubelet || :)\"
journal=$(journalctl --unit kubelet --lines 400 --no-pager --output cat 2>/dev/null || :)
errors=$(printf '%s\\n' \"$journal\" | grep -E '^[EF][0-9]{4} |^Error|^kubelet\\.service: ' || :)
printf '%s\\n' \"${errors:-$journal}\" | tail -n 12";

/// Why a command failed, as far as can be told.
pub struct Diagnosis {
    /// Its own words that matter, then the kubelet's where it was kubeadm's job.
    pub lines: Vec<String>,
    /// The likely cause and what to do about it.
    pub hint: Option<String>,
}

/// Looks into what a failed command wrote; after a job of kubeadm's it asks the kubelet as well.
pub async fn diagnose(session: &Session, turn: &Turn, kubeadm: bool, output: Vec<String>) -> Diagnosis {
    let whole = output.join("\n");
    let mut lines = match KubeadmFailure::find(&whole).filter(|_| kubeadm) {
        Some(failure) => words(&failure),
        None => output[output.len().saturating_sub(SHOWN_LINES)..].to_vec(),
    };
    let kubelet = if kubeadm { ask(session, turn).await } else { Vec::new() };
    let state = kubelet.first().map_or("", String::as_str);
    let cause = doctor::cause(&whole, &kubelet.join("\n"), state);
    lines.extend(kubelet);
    Diagnosis { lines, hint: cause.map(|cause| format!("{}: {}", cause.what, cause.hint)) }
}

/// kubeadm's own errors, a line each.
fn words(failure: &KubeadmFailure) -> Vec<String> {
    let phase = failure.phase.as_ref().map(|phase| format!("kubeadm failed in its phase {phase}:"));
    phase.into_iter().chain(failure.errors.iter().map(ToString::to_string)).collect()
}

async fn ask(session: &Session, turn: &Turn) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(mut script) = Script::new() else { return lines };
    script.add(KUBELET);
    let (text, nonce) = script.finish();
    let mut frames = Frames::new(&nonce, |line| {
        if let Line::Text(text) = line {
            lines.push(show(&text));
        }
    });
    // Without an answer there is less to say, and nothing else to do.
    let _ = session.exec(turn, text, Duration::from_secs(15), &mut frames).await;
    frames.finish();
    lines
}
