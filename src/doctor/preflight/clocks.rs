use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::events::Severity::{Error, Warning};
use crate::facts::Clock;

/// Seconds apart that are worth knowing: leases and logs are read side by side.
const WORTH_KNOWING: f64 = 2.0;

/// Seconds apart from which a fresh certificate is not yet valid where it is used.
const NOT_YET_VALID: f64 = 30.0;

const HINT: &str = "let chrony or systemd-timesyncd set it: `timedatectl set-ntp true`";

/// The clocks go together. The fleet's time is the median; the workstation's own clock may be the odd one.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    // One that cannot be told is nobody's measure.
    let told = |clock: &Clock| clock.uncertainty.as_secs_f64() < NOT_YET_VALID;
    let clocks = fleet.hosts.iter().map(|(_, facts)| facts.clock).filter(told).collect();
    let Some(median) = median(clocks) else { return Vec::new() };
    let mut findings = Vec::new();
    if beyond(median.ahead, &[median]) > WORTH_KNOWING {
        let reason = format!("this workstation's clock is {} the fleet's", against(-median.ahead));
        findings.push(Finding::of_fleet(Warning, "clock-of-workstation", reason));
    }
    for (host, facts) in &fleet.hosts {
        let apart = facts.clock.ahead - median.ahead;
        let severity = match beyond(apart, &[facts.clock, median]) {
            beyond if beyond > NOT_YET_VALID => Error,
            beyond if beyond > WORTH_KNOWING => Warning,
            _ => continue,
        };
        let so = if severity == Error { ": certificates would not be valid yet where they are used" } else { "" };
        let reason = format!("its clock is {} the fleet's{so}", against(apart));
        findings.push(Finding::of_host(&host.name, severity, "clock", reason).with_hint(HINT));
    }
    findings
}

/// The middle one; of two in the middle the one nearer to the workstation's.
fn median(mut clocks: Vec<Clock>) -> Option<Clock> {
    clocks.sort_by(|one, other| one.ahead.total_cmp(&other.ahead));
    let upper = *clocks.get(clocks.len() / 2)?;
    let lower = *clocks.get((clocks.len() - 1) / 2)?;
    Some(if lower.ahead.abs() < upper.ahead.abs() { lower } else { upper })
}

/// How many seconds apart they are for certain.
fn beyond(apart: f64, clocks: &[Clock]) -> f64 {
    apart.abs() - clocks.iter().map(|clock| clock.uncertainty.as_secs_f64()).sum::<f64>()
}

fn against(ahead: f64) -> String {
    let side = if ahead > 0.0 { "ahead of" } else { "behind" };
    let seconds = ahead.abs();
    if seconds < 120.0 { format!("{seconds:.1} s {side}") } else { format!("{:.0} min {side}", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::doctor::sample::{self, Case, Hosts};
    use crate::facts::Clock;

    fn set(hosts: &mut Hosts, ahead: [f64; 3]) {
        for (facts, ahead) in hosts.values_mut().zip(ahead) {
            facts.clock = Clock { ahead, uncertainty: Duration::from_millis(50) };
        }
    }

    const CASES: [Case; 9] = [
        ("within two seconds", |_, hosts| set(hosts, [0.0, 1.9, -2.0])),
        ("one three seconds behind", |_, hosts| set(hosts, [0.0, 0.1, -3.0])),
        ("one an hour ahead", |_, hosts| set(hosts, [0.0, 0.1, 3600.0])),
        ("the control plane 31 seconds behind", |_, hosts| set(hosts, [-31.0, 0.0, 0.1])),
        ("a slow line knows less", |_, hosts| {
            set(hosts, [0.0, 0.1, 3.0]);
            sample::of(hosts, "h3").clock.uncertainty = Duration::from_secs(2);
        }),
        ("a host that tells no time", |_, hosts| {
            set(hosts, [0.0, 3.0, 99999.0]);
            sample::of(hosts, "h3").clock.uncertainty = Duration::MAX;
        }),
        ("the workstation is the odd one", |_, hosts| set(hosts, [-45.0, -45.1, -44.9])),
        ("of two hosts the workstation decides", |_, hosts| {
            set(hosts, [0.2, 60.0, 0.0]);
            hosts.remove("h3");
        }),
        ("of one host only the workstation can be told", |_, hosts| {
            set(hosts, [60.0, 0.0, 0.0]);
            hosts.retain(|name, _| name == "h1");
        }),
    ];

    #[test]
    fn clocks_go_together() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
