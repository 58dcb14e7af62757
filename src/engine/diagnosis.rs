use std::time::Duration;

use crate::base::{Tail, told};
use crate::cluster::KubeadmFailure;
use crate::doctor;

use super::frames::{Frames, Line};
use super::script::Script;
use super::session::{Session, Turn};

/// How many lines of a failed command's output a report shows.
const SHOWN_LINES: usize = 20;
/// How many of a job that was cut.
const LAST_LINES: usize = 3;
/// How many are kept of what is asked for afterwards: far more than the script prints.
const KEPT_LINES: usize = 100;
/// What the kubelet says of itself.
const KUBELET: &str = concat!(include_str!("../../templates/kubelet.sh"), "kubelet_says");

/// Why a command failed, as far as can be told.
pub struct Diagnosis {
    /// In a few words.
    pub reason: String,
    /// Its own words that matter, then the kubelet's where it was kubeadm's job.
    pub lines: Vec<String>,
    /// The likely cause and what to do about it.
    pub hint: Option<String>,
}

/// Looks into what a failed command wrote.
pub fn of_command(output: &[String]) -> Diagnosis {
    Diagnosis {
        reason: "the command failed".to_owned(),
        lines: output[output.len().saturating_sub(SHOWN_LINES)..].to_vec(),
        // It may be the kubelet's words, or those that a kubelet would have for it.
        hint: likely(output, output),
    }
}

/// A job that came to no end of its own: what it wrote last is not why.
pub fn of_lost_job(output: &[String]) -> Diagnosis {
    Diagnosis {
        reason: "it was ended before its time: was its unit stopped, or did the host go down?".to_owned(),
        lines: output[output.len().saturating_sub(LAST_LINES)..].to_vec(),
        hint: Some("run the same command again: what was half made is taken back first, or taken up again".to_owned()),
    }
}

/// Looks into what a failed job of kubeadm's wrote, and asks the kubelet as well.
pub async fn of_kubeadm(session: &Session, turn: &Turn, output: &[String]) -> Diagnosis {
    let mut diagnosis = of_command(output);
    if let Some(KubeadmFailure { phase, errors }) = KubeadmFailure::find(&output.join("\n")) {
        diagnosis.reason = phase.map_or(diagnosis.reason, |phase| format!("kubeadm failed in its phase {phase}"));
        diagnosis.lines = errors.iter().map(ToString::to_string).collect();
    }
    let kubelet = ask(session, turn).await;
    diagnosis.hint = likely(output, &kubelet);
    diagnosis.lines.extend(kubelet);
    diagnosis
}

/// What a kubelet says of itself that does not run; `None` where it runs, or nothing is heard of it.
pub async fn of_kubelet(session: &Session) -> Option<Diagnosis> {
    let turn = session.turn().await;
    let lines = ask(session, &turn).await;
    let state = lines.first()?;
    if state.ends_with(" active") {
        return None;
    }
    Some(Diagnosis { reason: format!("its node is not Ready, and {state}"), hint: likely(&[], &lines), lines })
}

fn likely(output: &[String], kubelet: &[String]) -> Option<String> {
    let state = kubelet.first().map_or("", String::as_str);
    let cause = doctor::cause(&output.join("\n"), &kubelet.join("\n"), state)?;
    Some(format!("{}: {}", cause.what, cause.hint))
}

async fn ask(session: &Session, turn: &Turn) -> Vec<String> {
    let mut lines = Tail::of(KEPT_LINES);
    let Ok(mut script) = Script::new() else { return Vec::new() };
    script.add(KUBELET);
    let (text, nonce) = script.finish();
    let mut frames = Frames::new(&nonce, |line| {
        if let Line::Text(text) = line {
            lines.push(&told(&text));
        }
    });
    // Without an answer there is less to say, and nothing else to do.
    let _ = session.exec(turn, text, Duration::from_secs(15), &mut frames).await;
    frames.finish();
    lines.into_lines()
}
