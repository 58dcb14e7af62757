use std::time::Duration;

/// A time spent as a person says it: `0.4 s`, `48 s`, `3 min 5 s`, `2 h 7 min`.
pub(super) fn took(duration: Duration) -> String {
    // Rounded to what is shown, so that 9.96 s is not "10.0 s" and 59.7 s not "60 s".
    let tenths = (duration.as_millis() + 50) / 100;
    let seconds = (duration.as_millis() + 500) / 1000;
    match seconds {
        _ if tenths < 100 => format!("{}.{} s", tenths / 10, tenths % 10),
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::took;

    #[test]
    fn times_read_as_a_person_says_them() {
        for (milliseconds, said) in [
            (0, "0.0 s"),
            (449, "0.4 s"),
            (9_949, "9.9 s"),
            (9_960, "10 s"),
            (59_499, "59 s"),
            (59_700, "1 min 0 s"),
            (185_000, "3 min 5 s"),
            (3_599_600, "1 h 0 min"),
            (7_620_000, "2 h 7 min"),
        ] {
            assert_eq!(took(Duration::from_millis(milliseconds)), said);
        }
    }
}
