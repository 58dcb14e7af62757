use std::time::Duration;

use super::took::took;

/// A number of bytes as a person says it: `17 B`, `4.2 kB`, `200 MB`, as disks and networks count them.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (mut number, mut unit) = (bytes as f64, 0);
    // Rounded to what is shown, so that 999 960 B is not "1000 kB".
    while number >= 999.5 && unit < UNITS.len() - 1 {
        number /= 1_000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && number < 9.95);
    format!("{number:.digits$} {}", UNITS[unit])
}

const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];

/// How far a transfer is that has gone on for `elapsed`: its share, its rate, and how long the rest takes at that rate.
pub(super) fn moved(done: u64, total: u64, elapsed: Duration) -> String {
    let share = u128::from(done) * 100 / u128::from(total.max(1));
    let head = format!("{share:>3} % of {}", size(total));
    // The first moments say nothing of a rate.
    if done == 0 || elapsed < Duration::from_millis(500) {
        return head;
    }
    let rate = u128::from(done) * 1_000 / elapsed.as_millis();
    let left = u128::from(total.saturating_sub(done)) * elapsed.as_millis() / u128::from(done);
    let rate = size(u64::try_from(rate).unwrap_or(u64::MAX));
    let left = took(Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX)));
    if done < total { format!("{head}, {rate}/s, {left} left") } else { format!("{head}, {rate}/s, being checked") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{moved, size};

    #[test]
    fn sizes_read_as_a_person_says_them() {
        for (bytes, said) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (4_249, "4.2 kB"),
            (9_949, "9.9 kB"),
            (9_960, "10 kB"),
            (999_499, "999 kB"),
            (999_960, "1.0 MB"),
            (200_000_000, "200 MB"),
            (1_500_000_000_000, "1.5 TB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }

    #[test]
    fn a_transfer_says_its_rate_and_what_is_left() {
        let at = |done, milliseconds| moved(done, 200_000_000, Duration::from_millis(milliseconds));
        assert_eq!(at(0, 4_000), "  0 % of 200 MB");
        assert_eq!(at(5_000_000, 100), "  2 % of 200 MB");
        assert_eq!(at(50_000_000, 2_500), " 25 % of 200 MB, 20 MB/s, 7.5 s left");
        assert_eq!(at(200_000_000, 10_000), "100 % of 200 MB, 20 MB/s, being checked");
    }
}
