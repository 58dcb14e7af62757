use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Clock;
use super::frames::Frames;

impl Clock {
    /// From the host's time at the script's begin and at its end, and the workstation's around both: what the script
    /// took is no part of the way. A host that tells no time is taken for on time, with no certainty at all.
    pub(super) fn read(frames: &Frames<'_>, asked_at: SystemTime, answered_at: SystemTime) -> Self {
        let told = |answer: &str| Reading::of(frames.said(answer)?.trim());
        let (Some(begin), Some(end)) = (told("clock-begin"), told("clock-end")) else {
            return Self { ahead: 0.0, uncertainty: Duration::MAX };
        };
        let (asked, answered) = (since_epoch(asked_at), since_epoch(answered_at));
        let on_the_way = ((answered - asked) - (end.at - begin.at)).max(0.0);
        Self {
            ahead: f64::midpoint(begin.at, end.at) - f64::midpoint(asked, answered),
            uncertainty: Duration::try_from_secs_f64(on_the_way / 2.0 + begin.unsure.max(end.unsure))
                .unwrap_or(Duration::MAX),
        }
    }
}

struct Reading {
    at: f64,
    unsure: f64,
}

impl Reading {
    /// `1795466701.123456789`; busybox's date knows no %N and leaves `1795466701.`, `1795466701.%N` or `1795466701.N`,
    /// which is somewhere in that second.
    fn of(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds = f64::from(u32::try_from(seconds.parse::<u64>().ok()?).ok()?);
        let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        match format!("0.{fraction}").parse::<f64>() {
            Ok(fraction) if digits => Some(Self { at: seconds + fraction, unsure: 0.0 }),
            _ => Some(Self { at: seconds + 0.5, unsure: 0.5 }),
        }
    }
}

fn since_epoch(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -before.duration().as_secs_f64(), |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use crate::facts::Clock;
    use crate::facts::frames::Frames;

    #[test]
    fn the_scripts_own_time_is_no_part_of_the_way() {
        // Asked at 1000.0, heard at 1002.0; the script ran for 1.5 s of it.
        for (begin, end, ahead, uncertainty) in [
            ("1000.25", "1001.75", 0.0, 0.25),
            ("4600.250000000", "4601.750000000", 3600.0, 0.25),
            ("940.25", "941.75", -60.0, 0.25),
            ("1000.", "1001.", 0.0, 1.0),
            ("1000.%N", "1001.%N", 0.0, 1.0),
        ] {
            let output = format!("\nn said clock-begin 0\n{begin}\nn said clock-end 0\n{end}\nn probe - end\n");
            let frames = Frames::split(output.as_bytes(), "n").unwrap();
            let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
            let clock = Clock::read(&frames, at(1000), at(1002));
            assert!((clock.ahead - ahead).abs() < 1e-6, "{begin}: {clock:?}");
            assert!((clock.uncertainty.as_secs_f64() - uncertainty).abs() < 1e-6, "{begin}: {clock:?}");
        }
    }

    #[test]
    fn a_host_that_tells_no_time_is_uncertain() {
        let frames = Frames::split(b"\nn said clock-begin 1\n\nn probe - end\n", "n").unwrap();
        assert_eq!(Clock::read(&frames, UNIX_EPOCH, UNIX_EPOCH).uncertainty, Duration::MAX);
    }
}
