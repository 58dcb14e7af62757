use std::time::Duration;

use super::RunScript;

/// What would put the firewall back; root's alone, and gone at the next boot as what it is about is.
const BACK: &str = "/run/kfleet/firewall-back";
/// Runs it, by the clock of the host.
const UNIT: &str = "kfleet-firewall-back";
/// The host waits this long for somebody to prove that there is a way back in.
pub(super) const WAIT: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(60);

/// Lets the host run these commands by itself a minute later, unless it is told not to.
pub(super) fn arm(undo: &[String]) -> RunScript {
    let wait = WAIT.as_secs();
    let undo = undo.join("\n");
    let script = format!(
        "umask 077
mkdir -p {directory}
# One that is still armed is done now: what is planned here was planned with what it takes back.
if [ -e {BACK} ]; then
    systemctl stop {UNIT}.timer 2>/dev/null || :
    mv {BACK} {BACK}.now && sh {BACK}.now
fi
cat > {BACK} <<'END'
{undo}
END
systemctl reset-failed {UNIT}.timer {UNIT}.service 2>/dev/null || :
systemd-run --quiet --unit={UNIT} --on-active={wait} --timer-property=AccuracySec=1s /bin/sh -c 'mv {BACK} {BACK}.now && exec sh {BACK}.now'
",
        directory = BACK.rsplit_once('/').map_or(BACK, |(directory, _)| directory),
    );
    RunScript { command: format!("systemd-run --on-active={wait} {undo}"), script, deadline: DEADLINE }
}

/// Tells the host that the way in is still there, and so that the firewall stays as it is.
pub(super) fn disarm() -> RunScript {
    let script = format!(
        "mv {BACK} {BACK}.kept || {{ echo 'too late: the host has put its firewall back' >&2; exit 1; }}
systemctl stop {UNIT}.timer
rm {BACK}.kept
"
    );
    RunScript { command: format!("systemctl stop {UNIT}.timer"), script, deadline: DEADLINE }
}
